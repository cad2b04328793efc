counts <- rbind(c(1, 2, 3), c(3, 2, 1))

# call, status, row, column, message
BAD <- list(
  list(quote(score(counts, rbind(1:2, c(3, 3)))), "bad_index", 2, 2, "each candidate once, row 2 lists 3 twice"),
  list(quote(score(counts, rbind(1:2, c(1, 4)))), "bad_index", 2, 2, "NA or whole numbers from 1 to 3, row 2 holds 4"),
  list(quote(score(counts, rbind(1:2, c(0L, 1L)))), "bad_index", 2, 1, "from 1 to 3, row 2 holds 0"),
  list(quote(score(counts, rbind(1:2, c(-1, 1)))), "bad_index", 2, 1, "from 1 to 3, row 2 holds -1"),
  list(quote(score(counts, rbind(1:2, c(1.5, 1)))), "bad_index", 2, 1, "from 1 to 3, row 2 holds 1.5"),
  list(quote(score(counts, rbind(1:2, c(2^33, 1)))), "bad_index", 2, 1, "row 2 holds 8589934592"),
  list(quote(score(counts, rbind(1:2, c(Inf, 1)))), "bad_index", 2, 1, "row 2 holds inf"),
  list(quote(score(counts, rbind(1, 2, 4), task = c(2, 1, 1))), "bad_index", 3, 1, "row 3 holds 4"),
  list(quote(score(counts, rbind(1:2, c(2, 2), 1:2), task = c(2, 1, 1))), "bad_index", 2, 2, "row 2 lists 2 twice"),
  list(
    quote(score(rbind(1:2, c(4L, -5L)), rbind(1, 1))),
    "bad_value", 2, 2, "counts: .*got -5 for task 2, candidate 2"
  ),
  list(quote(score(rbind(1:2, c(4, 0.5)), rbind(1, 1))), "bad_value", 2, 2, "got 0.5 for task 2, candidate 2"),
  list(quote(score(rbind(1:2, c(4L, NA)), rbind(1, 1))), "bad_value", 2, 2, "got NA for task 2, candidate 2"),
  list(quote(score(rbind(1:2, c(4, NaN)), rbind(1, 1))), "bad_value", 2, 2, "got NA for task 2, candidate 2"),
  list(quote(score(rbind(1:2, c(4, 2^63)), rbind(1, 1))), "bad_value", 2, 2, "got 9.22337203685478e\\+18 for task 2"),
  list(quote(score(rbind(1:2, c(0, 0)), rbind(1, 1))), "bad_value", 2, NA, "task 2 has none; leave it out"),
  list(quote(score(counts, rbind(1, 1), task = c(1, 3))), "bad_index", 2, NA, "from 1 to 2, got 3 for ranking 2"),
  list(quote(score(counts, rbind(1, 1), task = c(0, 1))), "bad_index", 1, NA, "from 1 to 2, got 0 for ranking 1"),
  list(quote(score(counts, rbind(1, 1), task = c(NA, 1))), "bad_index", 1, NA, "from 1 to 2, got NA for ranking 1"),
  list(quote(score(counts, rbind(1, 1), task = c(1.5, 1))), "bad_index", 1, NA, "got 1.5 for ranking 1"),
  list(quote(score(counts, rbind(1, 1), task = 1)), "bad_shape", NA, NA, "task: expected 2 numbers, .* got 1"),
  list(quote(score(counts, rbind(1, 1), task = c("a", "b"))), "bad_argument", NA, NA, "task: expected numbers"),
  list(quote(score(counts, rbind(1, 1, 1))), "bad_shape", NA, NA, "one ranking per task \\(2\\), got 3; .* task="),
  list(quote(score(counts, rbind(1:4, 1:4))), "bad_index", 1, 4, "from 1 to 3, row 1 holds 4"),
  list(quote(score(counts, matrix(NA, 2, 4))), "bad_shape", NA, NA, "lists of at most 3 candidates, got 4 slots"),
  list(quote(score(counts, 1:2)), "bad_shape", NA, NA, "rankings: expected a matrix, .* got integer of length 2"),
  list(quote(score(c(1, 2), rbind(1))), "bad_shape", NA, NA, "counts: expected a matrix, .* got numeric of length 2"),
  list(
    quote(score(counts, matrix(0L, 2, 0))),
    "bad_shape", NA, NA, "rankings: expected at least one column, got 2 x 0"
  ),
  list(quote(score(data.frame(), rbind(1))), "bad_shape", NA, NA, "counts: expected at least one column, got 0 x 0"),
  list(quote(score(list(), rbind(1))), "bad_shape", NA, NA, "counts: expected at least one row"),
  list(quote(score(counts, list(1:2, 1))), "bad_shape", 2, NA, "rankings: .* one length, got 2 and, in row 2, 1"),
  list(quote(score(NULL, rbind(1))), "bad_argument", NA, NA, "counts: expected numbers, got NULL"),
  list(quote(score(matrix("1", 1, 2), rbind(1))), "bad_argument", NA, NA, "counts: expected numbers, got character"),
  list(quote(score(matrix(TRUE, 1, 2), rbind(1))), "bad_argument", NA, NA, "counts: expected numbers, got logical"),
  list(quote(score(matrix(1i, 1, 2), rbind(1))), "bad_argument", NA, NA, "counts: expected numbers, got complex"),
  list(quote(score(structure(counts, class = "integer64"), rbind(1, 1))), "bad_argument", NA, NA, "got integer64"),
  list(quote(score(iris, rbind(1))), "bad_argument", NA, NA, "columns of numbers, got factor in Species"),
  list(quote(score(sum, rbind(1))), "bad_argument", NA, NA, "counts: expected numbers, got (function|builtin)"),
  list(quote(score(counts, rbind(1, 1), alpha = 0)), "bad_argument", NA, NA, "alpha: expected .* > 0, got 0"),
  list(quote(score(counts, rbind(1, 1), alpha = -1)), "bad_argument", NA, NA, "alpha: expected .* > 0, got -1"),
  list(quote(score(counts, rbind(1, 1), alpha = Inf)), "bad_argument", NA, NA, "alpha: expected .* > 0, got inf"),
  list(quote(score(counts, rbind(1, 1), alpha = NA)), "bad_argument", NA, NA, "alpha: expected one number, got NA"),
  list(quote(score(counts, rbind(1, 1), alpha = NaN)), "bad_argument", NA, NA, "alpha: expected one number, got NaN"),
  list(quote(score(counts, rbind(1, 1), alpha = 1:2)), "bad_argument", NA, NA, "alpha: .* got integer of length 2"),
  list(
    quote(score(counts, rbind(1, 1), fill = "best")),
    "bad_argument", NA, NA, "one of chance, .*, drop, got \"best\""
  ),
  list(quote(score(counts, rbind(1, 1), fill = NULL)), "bad_argument", NA, NA, "fill: expected one of .*, got NULL"),
  list(quote(score_values(rbind(c(0.5, 0.5)), rbind(1), rbind(1))), "bad_shape", NA, NA, "got 1 x 2 and 1 x 1"),
  list(quote(score_values(rbind(c(0.5, 0.6)), rbind(c(0.5, 0.5)), rbind(1))), "bad_value", 1, NA, "task 1 sums to 1.1"),
  list(quote(score_values(rbind(c(1, 0)), rbind(c(1, 0)), rbind(1))), "bad_value", 1, 2, "values: .* candidate 2"),
  list(
    quote(score_values(rbind(c(1, NA)), rbind(c(0.5, 0.5)), rbind(1))),
    "bad_value", 1, 2, "weights: .* nan .* candidate 2"
  ),
  list(quote(skill(1)), "bad_argument", NA, NA, "scores: expected what score\\(\\) returns"),
  list(quote(skill(data.frame(entropy = 1))), "bad_argument", NA, NA, "entropy, chance, cross_entropy"),
  list(quote(entropy(counts, "mean")), "bad_argument", NA, NA, "estimator: expected one of plug-in, .*, got \"mean\""),
  list(quote(entropy(counts, "nsb", alpha = 1)), "bad_argument", NA, NA, "alpha: expected none, nsb has no"),
  list(quote(entropy(counts, alpha = -1)), "bad_argument", NA, NA, "alpha: expected .* >= 0, got -1"),
  list(quote(entropy(rbind(c(1.5, 1)))), "bad_value", 1, 1, "got 1.5 for task 1, candidate 1"),
  list(quote(entropy(rbind(c(1, 1), c(1, -0.5)), "nsb")), "bad_value", 2, 2, "got -0.5 for task 2, candidate 2"),
  list(quote(bin_means(1:3, 1:2)), "bad_shape", NA, NA, "as many x as y, got 3 and 2"),
  list(quote(bin_means(c(1, Inf), 1:2)), "bad_value", 2, NA, "x: expected finite numbers, got inf at 2"),
  list(quote(bin_means(1:2, 1:2, bins = 0)), "bad_shape", NA, NA, "bins: expected at least 1 .* got 0"),
  list(quote(bin_means(1:2, 1:2, bins = 2.5)), "bad_argument", NA, NA, "bins: expected a whole number, got 2.5"),
  list(quote(bin_means(1:2, 1:2, bins = 1e18)), "bad_argument", NA, NA, "bins: expected a whole number"),
  list(quote(bin_means(1:2, 1:2, bins = 2^40)), "bad_shape", NA, NA, "bins: expected .* got 1099511627776"),
  list(quote(bin_means(1:2, 1:2, support = 2:1)), "bad_argument", NA, NA, "low <= high, got \\(2, 1\\)"),
  list(quote(bin_means(1:2, 1:2, support = 1)), "bad_argument", NA, NA, "support: expected c\\(low, high\\), got 1"),
  list(quote(bin_means(1:2, 1:2, support = "a")), "bad_argument", NA, NA, "support: .* got \"a\""),
  list(quote(skill(score(counts, rbind(1, 1)), min_gap = "a")), "bad_argument", NA, NA, "min_gap: .* got \"a\""),
  list(quote(rolling_mean("a", 1)), "bad_argument", NA, NA, "values: expected numbers, got \"a\""),
  list(quote(rolling_mean(1:3, 0)), "bad_shape", NA, NA, "window: expected at least 1"),
  list(quote(rolling_mean(c(1, -Inf), 1)), "bad_value", 2, NA, "got -inf at 2"),
  list(quote(turning_point(1:3, 1:3, degree = 0)), "bad_shape", NA, NA, "a degree from 1 to 15"),
  list(quote(turning_point(1:3, 1:2)), "bad_shape", NA, NA, "as many entropy as cross_entropy, got 3 and 2"),
  list(quote(fitted_curve(1:3, 1:3, at = "a")), "bad_argument", NA, NA, "at: expected numbers, got \"a\"")
)

test_refusals(BAD)

test_that("rows of a later piece are named as R counts them", {
  set.seed(7)
  case <- random_case(45000L, 100L, 2L, empty = 0)
  twice <- case$rankings
  twice[44000, ] <- c(7L, 7L)
  condition <- refused(score(case$counts, twice))
  expect_match(conditionMessage(condition), "row 44000 lists 7 twice")
  expect_identical(condition$row, 44000)
  none <- case$counts
  none[43210, ] <- 0L
  expect_match(conditionMessage(refused(score(none, case$rankings))), "task 43210 has none")
  expect_match(conditionMessage(refused(entropy(none))), "task 43210 has none")
  none[43210, 100] <- -1L
  expect_match(conditionMessage(refused(score(none, case$rankings))), "got -1 for task 43210, candidate 100")
})
