test_that("bin means agree with tapply", {
  set.seed(8)
  x <- runif(500, 0, 4)
  y <- rnorm(500)
  y[c(3, 9)] <- NA
  edges <- seq(0, 4, length.out = 21)
  found <- bin_means(x, y, bins = 20, support = c(0, 4))
  place <- findInterval(x, edges, rightmost.closed = TRUE)
  expect_equal(found$mean, as.vector(tapply(y, place, mean, na.rm = TRUE)), tolerance = 1e-12)
  expect_equal(found$count, as.vector(tapply(!is.na(y), place, sum)))
  expect_equal(found$center, (edges[-1] + edges[-21])[sort(unique(place))] / 2)
})

test_that("empty bins are left out, and nothing has none", {
  expect_identical(bin_means(c(0, 4), c(1, 2), bins = 4)$center, c(0.5, 3.5))
  expect_identical(dim(bin_means(numeric(), numeric())), c(0L, 3L))
  expect_identical(dim(bin_means(1:2, c(NA, NA))), c(0L, 3L))
})

test_that("rolling means agree with filter", {
  set.seed(9)
  values <- rnorm(200)
  for (window in c(1, 2, 30, 200)) {
    expected <- stats::filter(values, rep(1 / window, window), sides = 1)
    expect_equal(rolling_mean(values, window), as.vector(stats::na.omit(expected)), tolerance = 1e-12)
  }
  expect_identical(rolling_mean(values, 201), numeric())
})

test_that("the turning point is where it was planted", {
  x <- seq(0, 4, length.out = 4000)
  found <- turning_point(x, 4 + (x - 3)^2 / 9)
  expect_identical(found$outcome, "value")
  expect_equal(found$x, 3, tolerance = 1e-3)
  expect_identical(turning_point(x, -x), data.frame(x = NaN, outcome = "censored"))
  expect_identical(turning_point(x, x), data.frame(x = NaN, outcome = "none"))
  expect_identical(turning_point(1:3, 1:3), data.frame(x = NaN, outcome = "undefined"))
})

test_that("the fitted curve agrees with lm", {
  set.seed(10)
  x <- runif(3000, 1, 5)
  y <- sin(x) + rnorm(3000, sd = 0.1)
  bins <- bin_means(x, y)
  smooth <- data.frame(x = rolling_mean(bins$center, 30), y = rolling_mean(bins$mean, 30))
  at <- c(2, 3, 4)
  expected <- predict(lm(y ~ poly(x, 4), smooth), data.frame(x = at))
  expect_equal(fitted_curve(x, y, at)$y, as.vector(expected), tolerance = 1e-9)
  whole <- fitted_curve(x, y)
  expect_identical(dim(whole), c(101L, 2L))
  expect_true(is.nan(whole$y[1]))
})
