random_log <- function(users, items, size) {
  unique(data.frame(user = sample.int(users, size, TRUE), item = sample.int(items, size, TRUE)))
}

# One draw by looking at every pair: who the group is, and how many of it chose each candidate.
group_of <- function(log, cell_of_user, cell, history, needed) {
  knows <- tapply(log$item %in% history, factor(log$user, seq_along(cell_of_user)), sum)
  which(cell_of_user %in% cell & (is.na(knows) & needed == 0 | (!is.na(knows) & knows >= needed)))
}
counts_of <- function(log, group, candidates) {
  vapply(candidates, function(item) sum(log$item == item & log$user %in% group), 0L)
}

test_that("groups and counts are those of the log, and candidates keep their rule", {
  set.seed(1)
  log <- random_log(60L, 80L, 1500L)
  cell_of_user <- sample(c(1:3, NA), 60, TRUE)
  cells <- sample.int(3L, 40L, TRUE)
  for (length in c(0, 1, 4)) {
    histories <- draw_histories(40, 1:80, length, seed = 3)
    needed <- ceiling(length / 2)
    for (rule in RULES) {
      found <- draw_tasks(log, cell_of_user, cells, histories, needed, 3, min_users = 2, candidates = 10, rule = rule)
      for (draw in 1:40) {
        group <- group_of(log, cell_of_user, cells[draw], histories[draw, ], needed)
        candidates <- found$candidates[draw, ]
        expect_identical(found$group_size[draw], length(group))
        if (length(group) < 2) {
          expect_identical(c(candidates, found$counts[draw, ]), rep(c(NA, 0L), each = 10L))
          next
        }
        expect_identical(anyDuplicated(candidates), 0L)
        if (rule != "literal") expect_length(intersect(candidates, histories[draw, ]), 0L)
        expect_identical(found$counts[draw, ], counts_of(log, group, candidates))
      }
    }
  }
})

test_that("half of the candidates were chosen, half were not", {
  log <- data.frame(user = rep(1:10, each = 20), item = 1:20)
  found <- draw_tasks(log, rep(1, 10), rep(1, 5), inventory = 1:100, candidates = 30)
  expect_identical(rowSums(found$counts > 0), rep(15, 5))
  expect_true(all(found$counts %in% c(0L, 10L)))
  # There are 80 that nobody chose, and no others to fill them from.
  few <- draw_tasks(log, rep(1, 10), 1, inventory = 1:25, candidates = 30)
  expect_identical(few, list(group_size = 10L, candidates = matrix(NA_integer_, 1, 30), counts = matrix(0L, 1, 30)))
})

test_that("a shorter history begins a longer one, and pieces are the whole", {
  long <- draw_histories(50, 5:90, 12, seed = 2^53 - 1)
  expect_identical(draw_histories(50, 5:90, 4, seed = 2^53 - 1), long[, 1:4])
  expect_identical(draw_histories(20, 5:90, 12, seed = 2^53 - 1, first = 31), long[31:50, ])
  expect_true(all(long %in% 5:90) && !any(apply(long, 1, anyDuplicated)))
  expect_identical(dim(draw_histories(0, 1:3, 2)), c(0L, 2L))
  expect_identical(dim(draw_histories(3, 1:3, 0)), c(3L, 0L))
  expect_identical(sort(draw_histories(1, c(7, 3), 2)), c(3L, 7L))
  expect_false(identical(draw_histories(9, 1:90, 4, seed = 1), draw_histories(9, 1:90, 4, seed = 2)))

  set.seed(2)
  log <- random_log(30L, 90L, 800L)
  cells <- rep(1:2, 25)
  of_user <- rep(1:2, 15)
  whole <- draw_tasks(log, of_user, cells, long[, 1:3], seed = 4, candidates = 8)
  piece <- draw_tasks(log, of_user, cells[31:50], long[31:50, 1:3], seed = 4, first = 31, candidates = 8)
  expect_identical(piece, list(
    group_size = whole$group_size[31:50], candidates = whole$candidates[31:50, ], counts = whole$counts[31:50, ]
  ))
})

test_that("factors, names, doubles, data frames and lists are the same log", {
  set.seed(3)
  log <- random_log(12L, 15L, 90L)
  histories <- draw_histories(6, 1:15, 2, seed = 1)
  of_user <- rep(1:2, 6)
  cells <- c(1, 2, 2, 1, 2, 1)
  expected <- draw_tasks(log, of_user, cells, histories, 1, candidates = 4)
  same <- function(...) expect_identical(draw_tasks(..., needed = 1, candidates = 4), expected)
  factors <- data.frame(user = factor(log$user, 1:12, letters[1:12]), item = factor(log$item, 1:15, LETTERS[1:15]))
  same(factors, of_user, cells, histories)
  same(log + 0, of_user + 0, cells, as.data.frame(histories))
  same(as.list(log), factor(of_user, 1:2, c("m", "w")), c("m", "w")[cells], lapply(1:6, function(d) histories[d, ]))
  same(log, c("m", "w")[of_user], factor(c("m", "w")[cells], c("w", "m")), histories + 0)
  same(factors, of_user, cells, histories, inventory = factor(LETTERS[15:1]))
})

test_that("default: three fifths of a history are needed, no history takes the cell", {
  set.seed(4)
  log <- random_log(40L, 20L, 400L)
  for (length in 1:10) {
    histories <- draw_histories(30, 1:20, length)
    by_hand <- draw_tasks(log, rep(1, 40), rep(1, 30), histories, c(1, 2, 2, 3, 3, 4, 5, 5, 6, 6)[length])
    expect_identical(draw_tasks(log, rep(1, 40), rep(1, 30), histories), by_hand)
  }
  expect_identical(draw_tasks(log, rep(1:2, 20), c(2, 9), candidates = 5)$group_size, c(20L, 0L))
})

test_that("tasks are scored as they come", {
  set.seed(5)
  log <- random_log(40L, 50L, 600L)
  tasks <- draw_tasks(log, rep(1, 40), rep(1, 5), candidates = 10)
  best <- t(apply(-tasks$counts, 1, order))
  expect_equal(skill(score(tasks$counts, best))$value, 1)
})

test_that("nothing is drawn from nothing", {
  nothing <- data.frame(user = integer(), item = integer())
  expect_identical(lengths(draw_tasks(nothing, integer(), integer()), FALSE), integer(3))
  found <- draw_tasks(nothing, c(1, 1), 1, inventory = 1:5, candidates = 2)
  expect_identical(found$group_size, 2L)
  expect_identical(found$counts, matrix(0L, 1, 2))
  expect_false(anyNA(found$candidates))
})

test_that("tasks are the engine's to the bit", {
  pairs <- golden("log.csv")
  log <- data.frame(user = as.integer(pairs$user) + 1L, item = as.integer(pairs$item) + 1L)
  of_user <- as.integer(golden("users.csv")$cell)
  of_user <- replace(of_user + 1L, of_user < 0, NA)
  inventory <- as.integer(golden("inventory.csv")$item) + 1L
  rows <- golden("draws.csv")
  seed <- exactly(rows$base[1])
  for (draws in split(rows, paste(rows$rule, rows$length))) {
    histories <- do.call(rbind, candidates(draws$history))
    length <- as.integer(draws$length[1])
    expect_identical(draw_histories(nrow(draws), inventory, length, seed, first = 11), unname(histories))
    found <- draw_tasks(
      log, of_user, as.integer(draws$cell) + 1L, histories, as.integer(draws$needed[1]), seed, 11, inventory, 2, 20,
      draws$rule[1]
    )
    expect_identical(found$group_size, as.integer(draws$size))
    expect_identical(found$candidates, do.call(rbind, candidates(draws$candidates)))
    expect_identical(found$counts, do.call(rbind, whole(draws$counts)))
    expect_gt(sum(!is.na(found$candidates[, 1])), 10)
  }
  expect_identical(sort(unique(rows$rule)), sort(RULES))
})
