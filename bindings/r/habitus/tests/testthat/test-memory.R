# gctorture() collects garbage at every allocation: what is not protected then is lost. It is slow, so routines are
# called as the package's functions call them.
tortured <- function(call) {
  gctorture(TRUE)
  on.exit(gctorture(FALSE))
  call
}

test_that("nothing is lost to the garbage collector", {
  counts <- rbind(c(12L, 5L, 3L, 0L), c(1L, 1L, 2L, 2L))
  rankings <- rbind(c(1L, 3L), c(4L, NA))
  doubles <- counts + 0
  p <- t(apply(counts, 1, smoothed, 0.25))
  scores <- score(counts, rankings)
  x <- as.double(1:40)
  y <- (x - 20)^2
  histories <- rbind(1L, 3L)
  options <- c(1, 1, 2, 0)
  jobs <- list(
    function() .Call(C_score, counts, NULL, rankings, NULL, NaN, 0L),
    function() .Call(C_score, doubles, NULL, rankings, c(2, 1), NaN, 0L),
    function() .Call(C_score, p, p, rankings, NULL, NaN, 2L),
    function() .Call(C_skill, scores$entropy, scores$chance, scores$worst, scores$cross_entropy, c(1, 2), NaN),
    function() .Call(C_entropy, counts, 6L, NaN),
    function() .Call(C_bin_means, x, y, 3, c(NaN, NaN)),
    function() .Call(C_rolling_mean, x, 3),
    function() .Call(C_curve, x, y, c(40, 2, 4), c(NaN, NaN), x),
    function() .Call(C_info),
    function() .Call(C_histories, c(0, 0), 3, c(4L, 2L, 9L), 2),
    function() .Call(C_histories, c(0, 0), 3, c(4, 2, 0), 2),
    function() .Call(C_tasks, c(1L, 1L, 2L), c(1, 2, 3), 3, c(1, 1), c(1, 1), histories, c(0, 0), 1:3, options),
    function() .Call(C_tasks, c(1L, 1L, 2L), c(1, 2, 4), 3, c(1, 1), c(1, 1), histories, c(0, 0), 1:3, options),
    function() .Call(C_score, -counts, NULL, rankings, NULL, NaN, 0L),
    function() .Call(C_score, counts, NULL, rankings, c(1, 3), NaN, 0L),
    function() .Call(C_entropy, counts - 5L, 6L, NaN)
  )
  for (job in jobs) {
    expected <- job()
    expect_identical(tortured(job()), expected)
  }
})
