# From points to a model's curve.

OUTCOMES <- c("value", "none", "censored", "undefined")

#' Bins and rolling means
#'
#' `bin_means()`: mean y in bins of equal width over the support; points with a missing number and points outside are
#' left out, and so are empty bins. `rolling_mean()`: the means of complete windows; average x by the same window, and
#' each mean stands at its window's centre.
#'
#' @param x,y Numbers, as many of each.
#' @param bins How many over the support.
#' @param support `c(low, high)`, both included. Default: the range of x where y is known. Give the pooled range of all
#'   models, so that their bins are the same.
#' @param values Numbers.
#' @param window How many values each mean is of.
#' @return `bin_means()`: a data frame with `center`, `mean` and `count` of each bin that holds a point;
#'   `rolling_mean()`: `length(values) - window + 1` numbers, none where there are fewer values than a window.
#' @examples
#' bin_means(c(0, 1, 4), c(1, 3, 5), bins = 2)
#' rolling_mean(c(1, 2, 6), 2)
#' @export
bin_means <- function(x, y, bins = 200, support = NULL) {
  points <- paired(x = x, y = y)
  found <- answered(.Call(C_bin_means, points[[1L]], points[[2L]], whole_number("bins", bins), both_ends(support)))
  found <- as.data.frame(found)[found$count > 0, ]
  rownames(found) <- NULL
  found
}

#' @rdname bin_means
#' @export
rolling_mean <- function(values, window) {
  answered(.Call(C_rolling_mean, numbers_vector("values", values), whole_number("window", window)))
}

#' The curve of one model
#'
#' Points are binned and smoothed (see [bin_means()]), and a polynomial is fitted. `turning_point()`: its local minimum
#' of largest x, from where on the model gets worse; `fitted_curve()`: the polynomial itself.
#'
#' @param entropy,cross_entropy One number per ranking, in one unit; `NA` where dropped.
#' @param bins,support See [bin_means()].
#' @param window Non-empty bins per rolling mean.
#' @param degree Of the polynomial, 1 to 15.
#' @param at Where to compute it. Default: 101 places over the support.
#' @return `turning_point()`: a data frame of one row, `x` and `outcome`: `"value"`; `"none"`, it never turns;
#'   `"censored"`, it still falls where the data end; `"undefined"`, too few bins hold a point. `x` is `NaN` unless the
#'   outcome is `"value"`. `fitted_curve()`: a data frame with `x` and `y`, which is `NaN` outside the range of the
#'   data.
#' @examples
#' x <- seq(0, 4, length.out = 2000)
#' turning_point(x, 4 + (x - 3)^2 / 9)
#' fitted_curve(x, 4 + (x - 3)^2 / 9, at = c(1, 2, 3))
#' @export
turning_point <- function(entropy, cross_entropy, bins = 200, window = 30, degree = 4, support = NULL) {
  fit_curve(entropy, cross_entropy, bins, window, degree, support, numeric())$turn
}

#' @rdname turning_point
#' @export
fitted_curve <- function(entropy, cross_entropy, at = NULL, bins = 200, window = 30, degree = 4, support = NULL) {
  if (is.null(at)) {
    ends <- if (is.null(support)) range(numbers_vector("entropy", entropy), na.rm = TRUE) else both_ends(support)
    at <- seq(ends[1L], ends[2L], length.out = 101L)
  }
  fit_curve(entropy, cross_entropy, bins, window, degree, support, at)$curve
}

fit_curve <- function(entropy, cross_entropy, bins, window, degree, support, at) {
  points <- paired(entropy = entropy, cross_entropy = cross_entropy)
  shape <- c(whole_number("bins", bins), whole_number("window", window), whole_number("degree", degree))
  at <- numbers_vector("at", at)
  found <- answered(.Call(C_curve, points[[1L]], points[[2L]], shape, both_ends(support), at))
  list(
    turn = data.frame(x = found$x, outcome = OUTCOMES[found$outcome + 1L]),
    curve = data.frame(x = at, y = found$fitted)
  )
}

# Two vectors of one length, under the names that messages call them by.
paired <- function(...) {
  points <- list(...)
  points[] <- Map(numbers_vector, names(points), points)
  sizes <- lengths(points)
  if (sizes[1L] != sizes[2L]) {
    refuse(
      "expected as many ", names(points)[1L], " as ", names(points)[2L], ", got ", sizes[1L], " and ", sizes[2L],
      status = "bad_shape"
    )
  }
  points
}
