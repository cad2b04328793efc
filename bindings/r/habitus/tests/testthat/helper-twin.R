# Scores straight from the formulas, one ranking after the other, by enumeration; they share nothing with libhabitus.

smoothed <- function(counts, alpha) (counts + alpha) / sum(counts + alpha)

# The r-th listed candidate is given the r-th largest of p, the others the rest in their own order.
of_order <- function(p, listed) {
  slots <- sort(p, decreasing = TRUE)
  order <- c(listed, setdiff(order(-p), listed))
  -sum(p[order] * log(slots))
}

# All ways to choose `size` of `items`, in order.
arrangements <- function(items, size) {
  if (size == 0L) return(list(integer()))
  after <- function(item) lapply(arrangements(setdiff(items, item), size - 1L), function(rest) c(item, rest))
  unlist(lapply(items, after), FALSE)
}

twin <- function(counts, ranking, alpha, fill) {
  p <- smoothed(counts, alpha)
  listed <- ranking[!is.na(ranking)]
  empty <- length(ranking) - length(listed)
  filled <- function(ways) vapply(ways, function(way) of_order(p, c(listed, way)), 0)
  every <- arrangements(setdiff(seq_along(p), listed), empty)
  switch(fill,
    optimistic = of_order(p, listed),
    chance = mean(filled(every)),
    worst = max(filled(every)),
    drop = if (empty) NaN else of_order(p, listed)
  )
}

twin_entropy <- function(counts, alpha) {
  p <- smoothed(counts, alpha)
  -sum(p * log(p))
}

# Tasks and rankings at random, some with empty slots.
random_case <- function(tasks, candidates, length, rankings = tasks, empty = 0.3) {
  counts <- matrix(rpois(tasks * candidates, 2), tasks)
  counts[, 1L] <- counts[, 1L] + 1L
  lists <- t(vapply(seq_len(rankings), function(s) sample.int(candidates, length), integer(length)))
  lists <- matrix(lists, rankings)
  lists[runif(rankings * length) < empty] <- NA
  list(counts = counts, rankings = lists, task = sample.int(tasks, rankings, replace = TRUE))
}

# The condition that a call ends with.
refused <- function(call) tryCatch(call, habitus_error = function(condition) condition)

# One test for each row: call, status, row, column, message.
test_refusals <- function(table, within = parent.frame()) {
  for (bad in table) {
    test_that(paste(deparse(bad[[1]]), collapse = " "), {
      condition <- refused(eval(bad[[1]], within))
      expect_identical(class(condition), c("habitus_error", "error", "condition"))
      expect_match(conditionMessage(condition), bad[[5]])
      expect_identical(condition$status, bad[[2]])
      expect_identical(condition$row, as.numeric(bad[[3]]))
      expect_identical(condition$column, as.numeric(bad[[4]]))
    })
  }
}

# What R cannot make up itself is written by tests/bindings/test_r.py.
golden <- function(name) {
  folder <- Sys.getenv("HABITUS_GOLDEN")
  skip_if(folder == "", "HABITUS_GOLDEN is not set: tests/bindings/test_r.py writes the folder that it names")
  read.csv(file.path(folder, name), colClasses = "character", check.names = FALSE)
}

# Hexadecimal doubles, and lists of whole numbers within a cell; as.numeric() may miss the last bit of a decimal.
exactly <- function(column) as.numeric(sub("nan", "NaN", column))
whole <- function(column) lapply(strsplit(column, " "), as.integer)
# The engine's candidates, from 0 and -1 for an empty slot, as R's.
candidates <- function(column) lapply(whole(column), function(items) replace(items + 1L, items < 0L, NA))
