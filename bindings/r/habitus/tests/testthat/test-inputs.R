counts <- rbind(c(12L, 5L, 3L, 0L), c(1L, 1L, 2L, 2L))
rankings <- rbind(c(1L, 3L), c(4L, NA))
expected <- score(counts, rankings)

test_that("integers and doubles are the same", {
  expect_identical(score(counts + 0, rankings + 0), expected)
  expect_identical(score(counts, rankings, task = c(1, 2)), expected)
  expect_identical(score(counts, rankings, task = 1:2), expected)
})

test_that("data frames are matrices, and their names say nothing", {
  expect_identical(score(as.data.frame(counts), as.data.frame(rankings)), expected)
  expect_identical(score(data.frame(a = c(12, 1), b = c(5L, 1L), c = 3:2, d = c(0, 2)), rankings), expected)
  named <- structure(counts, dimnames = list(c("x", "y"), letters[1:4]))
  expect_identical(score(named, as.table(rankings)), expected)
})

test_that("lists of vectors and list columns are matrices", {
  lists <- list(rankings[1, ], rankings[2, ])
  expect_identical(score(list(counts[1, ], counts[2, ]), lists), expected)
  frame <- data.frame(id = 1:2)
  frame$ranking <- lists
  expect_identical(score(counts, frame$ranking), expected)
  expect_identical(score(counts, frame["ranking"]), expected)
  expect_identical(score(list(counts[1, ]), list(lists[[1]]))$entropy, expected$entropy[1])
})

test_that("whatever has as.data.frame() or as.matrix() is a matrix", {
  registerS3method("as.data.frame", "some_table", function(x, ...) as.data.frame(x$held))
  registerS3method("as.matrix", "some_matrix", function(x, ...) x$held)
  table <- structure(new.env(), class = "some_table")
  matrix <- structure(new.env(), class = "some_matrix")
  table$held <- matrix$held <- counts
  expect_identical(score(table, rankings), expected)
  expect_identical(score(matrix, rankings), expected)
})

test_that("a ranking of nothing but NA may be logical, an NaN is an NA", {
  expect_identical(score(counts, matrix(NA, 2, 2))$valid, c(0L, 0L))
  expect_identical(score(counts, replace(rankings + 0, 4, NaN)), expected)
})

test_that("counts beyond 32 bits are counts", {
  large <- rbind(c(2^62, 2^61, 0, 5))
  p <- smoothed(large[1, ], 0.25)
  expect_equal(score(large, list(c(2, 1)))$cross_entropy, of_order(p, 2:1), tolerance = 1e-12)
  # A piece that has one beyond 32 bits is of 64.
  mixed <- rbind(large, c(3, 1, 0, 0))
  expect_identical(score(mixed, rbind(1, 1))$entropy[2], score(rbind(c(3, 1, 0, 0)), rbind(1))$entropy)
})

test_that("arguments are left as they were", {
  before <- list(counts + 0, rankings + 0)
  after <- list(counts + 0, rankings + 0)
  score(after[[1]], after[[2]])
  expect_identical(after, before)
})

test_that("effective counts need not be whole", {
  expect_equal(entropy(rbind(c(1.5, 0.5)), "dirichlet", alpha = 1), 0.552961, tolerance = 1e-6)
  expect_true(is.finite(entropy(rbind(c(1.5, 0.5)), "nsb")))
})
