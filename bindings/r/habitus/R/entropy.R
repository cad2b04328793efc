# How uncertain a group's behaviour is.

ESTIMATORS <- c("plug-in", "miller-madow", "grassberger", "chao-shen", "james-stein", "dirichlet", "nsb")

#' Entropy of each task
#'
#' What a group would do is known from a few draws, and the entropy of a few draws is too low. Estimators differ in how
#' they make up for it; K, the number of candidates, is known.
#'
#' * `"plug-in"`: of p = (n + alpha) / (sum n + alpha K); `alpha = 0` is maximum likelihood.
#' * `"miller-madow"`: maximum likelihood plus the first term of its bias.
#' * `"grassberger"`: Grassberger (2003), eq. 35.
#' * `"chao-shen"`: Horvitz-Thompson's sum with Good's coverage.
#' * `"james-stein"`: of frequencies shrunk to 1/K each.
#' * `"dirichlet"`: posterior mean under a Dirichlet prior; counts need not be whole.
#' * `"nsb"`: posterior mean under a prior nearly flat over entropies, Nemenman, Shafee & Bialek (2002); counts need not
#'   be whole. A thousand times as slow as the others.
#'
#' @param counts As in [score()].
#' @param estimator One of the above.
#' @param alpha Pseudo-count of `"plug-in"` (>= 0, default 1/K) and `"dirichlet"` (> 0, default 1/2). Others have none.
#' @return One number per task, in nats.
#' @examples
#' counts <- rbind(c(4, 2, 1, 0), c(1, 1, 1, 1))
#' entropy(counts)
#' entropy(counts, "nsb")
#' @export
entropy <- function(counts,
                    estimator = c(
                      "plug-in", "miller-madow", "grassberger", "chao-shen", "james-stein", "dirichlet", "nsb"
                    ),
                    alpha = NULL) {
  which <- place_among("estimator", estimator, ESTIMATORS)
  name <- ESTIMATORS[which + 1L]
  if (!is.null(alpha) && !name %in% c("plug-in", "dirichlet")) {
    refuse("alpha: expected none, ", name, " has no pseudo-count")
  }
  answered(.Call(C_entropy, numbers_matrix("counts", counts), which, one_number("alpha", alpha)))
}
