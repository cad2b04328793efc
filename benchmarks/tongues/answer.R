# Answers benchmarks.tongues line by line, in R: see programs.py for the questions.

suppressPackageStartupMessages(library(habitus))

K <- 50L
N <- 10L
table <- NULL

say <- function(...) {
  cat(..., "\n", sep = "")
  flush(stdout())
}

# R counts candidates from 1, and an empty slot is NA.
from_one <- function(items) ifelse(items == -1, NA, items + 1)

score_line <- function(fields) {
  sizes <- as.integer(fields[4:5])
  numbers <- as.numeric(fields[-(1:5)])
  counts <- matrix(numbers[seq_len(sizes[1])], 1)
  rankings <- matrix(from_one(numbers[sizes[1] + seq_len(sizes[2])]), nrow = 1, ncol = sizes[2])
  alpha <- as.numeric(sub("inf", "Inf", fields[3]))
  found <- score(counts, rankings, alpha = if (is.nan(alpha)) NULL else alpha, fill = fields[2])
  values <- unlist(as.data.frame(found)[1, c("entropy", "chance", "worst", "cross_entropy", "valid")])
  say("ok ", paste(sprintf("%.17g", values), collapse = " "))
}

load_table <- function(folder, rows) {
  read <- function(name, width, columns) {
    values <- readBin(file.path(folder, name), "integer", rows * columns, size = width, endian = "little")
    matrix(values, rows, columns, byrow = TRUE)
  }
  table <<- list(read("counts", 4, K), read("rankings", 2, N) + 1L)
  say("ok")
}

BAD <- list(
  function() score("a", 1),
  function() score(rbind(c(1, NA)), rbind(1)),
  function() score(rbind(c(1.5, 2)), rbind(1)),
  function() score(rbind(c(1, 2)), rbind(0)),
  function() score(rbind(c(1, 2), c(1, 1)), rbind(1)),
  function() score(list(c(1, 2), 1), rbind(1, 1)),
  function() entropy(rbind(c(1, 2)), "nonsense")
)

answer <- function(fields) {
  switch(fields[1],
    score = score_line(fields),
    load = load_table(fields[2], as.integer(fields[3])),
    bad = if (as.integer(fields[2]) >= length(BAD)) say("end") else {
      BAD[[as.integer(fields[2]) + 1]]()
      say("ok")
    },
    run = {
      gc(FALSE)
      spent <- system.time(scores <- score(table[[1]], table[[2]]), gcFirst = FALSE)
      ns <- sum(spent[c("user.self", "sys.self")]) * 1e9 / nrow(table[[1]])
      say(sprintf("ok %.17g %.17g", ns, scores$cross_entropy[nrow(table[[1]])]))
    }
  )
}

questions <- file("stdin", "r")
while (length(line <- readLines(questions, 1))) {
  tryCatch(answer(strsplit(line, " ")[[1]]), error = function(e) say("error ", gsub("\n", " / ", conditionMessage(e))))
}
