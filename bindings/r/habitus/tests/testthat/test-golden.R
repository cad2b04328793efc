COLUMNS <- c(chance = "cross_entropy", optimistic = "optimistic", worst = "filled_worst")

# Rows of one size and alpha are one call.
in_batches <- function(rows) {
  rows$K <- lengths(whole(rows$counts))
  split(rows, paste(rows$K, rows$list_length, rows$alpha))
}

test_that("the golden vectors come out, and the engine's own results to the bit", {
  rows <- golden("scores.csv")
  expect_equal(nrow(rows), 600)
  for (batch in in_batches(rows)) {
    counts <- do.call(rbind, whole(batch$counts))
    rankings <- do.call(rbind, candidates(batch$ranking))
    for (fill in names(COLUMNS)) {
      scores <- score(counts, rankings, alpha = exactly(batch$alpha[1]), fill = fill)
      for (name in c("entropy", "chance", "worst", "cross_entropy")) {
        column <- if (name == "cross_entropy") COLUMNS[[fill]] else name
        expect_lte(max(abs(scores[[name]] - exactly(batch[[column]]))), 1e-12)
        expect_identical(scores[[name]], exactly(batch[[paste0("engine_", column)]]))
      }
    }
  }
})

test_that("held-out targets score as in the engine", {
  rows <- golden("values.csv")
  for (row in split(rows, seq_len(nrow(rows)))) {
    numbers <- lapply(row[c("weights", "values")], function(column) matrix(exactly(strsplit(column, " ")[[1]]), 1))
    scores <- score_values(numbers$weights, numbers$values, candidates(row$ranking))
    for (name in c("entropy", "chance", "worst", "cross_entropy")) {
      expect_identical(scores[[name]], exactly(row[[name]]))
    }
  }
})

test_that("entropies are the engine's", {
  for (batch in in_batches(golden("scores.csv"))) {
    counts <- do.call(rbind, whole(batch$counts))
    for (estimator in ESTIMATORS) {
      expect_identical(entropy(counts, estimator), exactly(batch[[paste0("engine_", estimator)]]))
    }
  }
})

test_that("skill is the engine's", {
  for (batch in in_batches(golden("scores.csv"))) {
    scores <- score(whole(batch$counts), candidates(batch$ranking), alpha = exactly(batch$alpha[1]))
    expect_identical(skill(scores)$value, exactly(batch$engine_skill[1]))
    expect_identical(bounded_skill(scores)$value, exactly(batch$engine_bounded_skill[1]))
    expect_identical(skill(as.data.frame(scores)), skill(scores))
  }
})

test_that("bins, rolling means and the turning point are the engine's", {
  points <- golden("points.csv")
  x <- exactly(points$x)
  y <- exactly(points$y)
  bins <- golden("bins.csv")
  found <- bin_means(x, y, bins = 40)
  for (name in names(found)) expect_identical(found[[name]], exactly(bins[[name]]))
  expect_identical(rolling_mean(found$mean, 7), exactly(golden("rolling.csv")$mean))
  turn <- golden("turn.csv")
  expect_identical(turning_point(x, y, bins = 40, window = 7)$outcome, turn$outcome)
  # Another basis, and roots in another way, than NumPy's: not to the bit.
  expect_equal(turning_point(x, y, bins = 40, window = 7)$x, exactly(turn$x), tolerance = 1e-9)
})
