test_that("maximum likelihood and its corrections agree with their formulas", {
  set.seed(11)
  counts <- random_case(20L, 7L, 2L)$counts
  n <- rowSums(counts)
  p <- counts / n
  likely <- -rowSums(ifelse(p > 0, p * log(p), 0))
  expect_equal(entropy(counts, alpha = 0), likely, tolerance = 1e-12)
  expect_equal(entropy(counts, "miller-madow"), likely + (rowSums(counts > 0) - 1) / (2 * n), tolerance = 1e-12)
  expect_equal(entropy(counts), apply(counts, 1, twin_entropy, 1 / 7), tolerance = 1e-12)
})

test_that("the Dirichlet posterior mean agrees with digamma", {
  counts <- rbind(c(4, 2, 1, 0), c(0.5, 1.5, 3, 0))
  a <- counts + 0.5
  total <- rowSums(a)
  expected <- digamma(total + 1) - rowSums(a * digamma(a + 1)) / total
  expect_equal(entropy(counts, "dirichlet"), expected, tolerance = 1e-12)
})

test_that("every estimator gives a number for each task", {
  set.seed(12)
  counts <- random_case(10L, 6L, 2L)$counts
  for (estimator in ESTIMATORS) {
    found <- entropy(counts, estimator)
    expect_length(found, 10L)
    expect_true(all(is.finite(found)))
    expect_identical(entropy(counts[10:1, ], estimator), rev(found))
  }
  expect_identical(entropy(matrix(0L, 0, 3), "nsb"), numeric())
})
