# Scores of rankings, and what is done with them.

#' Score ranked lists against how many users chose each candidate
#'
#' p = (n + alpha) / (sum n + alpha K), sorted p(1) >= ... >= p(K). The r-th listed candidate is given p(r), the others
#' p(N + 1), ..., p(K) in their own order: H = -sum p log p, and the cross-entropy CE = -sum p_i log p_slot(i) >= H.
#' Chance is the expected CE of a random list of N, worst the largest CE. All in nats.
#'
#' @param counts Tasks x K whole numbers >= 0, at least one positive in every row: a matrix, a data frame, or a list of
#'   vectors.
#' @param rankings Rankings x N candidates from 1 to K, best first, each at most once; `NA` is an empty slot, wherever
#'   it stands. N is at most K. A matrix, a data frame, or a list of vectors.
#' @param task The task of each ranking, a number from 1 to the number of tasks. Default: one ranking per task, in
#'   order.
#' @param alpha Pseudo-count > 0. Default 1/K: one interaction shared by all candidates.
#' @param fill What empty slots are given. `"chance"`: the expectation over random candidates, so that an empty list
#'   scores exactly chance; `"optimistic"`: nothing, the list is shorter; `"worst"`: the least likely candidates;
#'   `"drop"`: the cross-entropy is `NaN`.
#'
#' @return A list of class `habitus_scores`: `entropy`, `chance` and `worst`, one number per task; `cross_entropy`,
#'   `valid` (how many candidates are listed) and `task`, one per ranking. `as.data.frame()` makes one row per ranking
#'   of it.
#' @examples
#' counts <- rbind(c(12, 5, 3, 0), c(1, 1, 2, 2))
#' scores <- score(counts, rbind(c(1, 3), c(4, NA)))
#' scores
#' as.data.frame(scores)$cross_entropy / log(2) # in bits
#'
#' # Two models on the same tasks, in a data frame.
#' answers <- data.frame(model = c("a", "a", "b"), task = c(1, 2, 1), first = c(1, 3, 4), second = c(2, 4, NA))
#' scores <- score(counts, answers[c("first", "second")], task = answers$task)
#' cbind(answers["model"], as.data.frame(scores))
#' @seealso [score_values()] for real-valued and held-out targets, [skill()] for one number per model.
#' @export
score <- function(counts, rankings, task = NULL, alpha = NULL, fill = c("chance", "optimistic", "worst", "drop")) {
  counts <- numbers_matrix("counts", counts)
  scored(counts, NULL, rankings, task, one_number("alpha", alpha), fill)
}

#' Score ranked lists against real-valued or held-out targets
#'
#' Order and slots come from `values` v, the expectation is under `weights` t: CE = -sum t_i log v_slot(i).
#' `cross_entropy()` gives that alone. Entropy is that of the order of v itself, -sum t_i log v_i.
#'
#' @param weights Tasks x K numbers >= 0, rows sum to 1.
#' @param values Tasks x K numbers > 0, rows sum to 1.
#' @inheritParams score
#' @return `score_values()`: as [score()]; `cross_entropy()`: one number per ranking, in nats.
#' @examples
#' cross_entropy(weights = rbind(c(0.5, 0.5)), values = rbind(c(0.75, 0.25)), rankings = rbind(2))
#' @export
score_values <- function(weights, values, rankings, task = NULL, fill = c("chance", "optimistic", "worst", "drop")) {
  weights <- numbers_matrix("weights", weights)
  values <- numbers_matrix("values", values)
  if (!identical(dim(weights), dim(values))) {
    refuse(
      "expected weights and values of one shape, got ", paste(dim(weights), collapse = " x "), " and ",
      paste(dim(values), collapse = " x "),
      status = "bad_shape"
    )
  }
  scored(weights, values, rankings, task, NaN, fill)
}

#' @rdname score_values
#' @export
cross_entropy <- function(weights, values, rankings, task = NULL, fill = c("chance", "optimistic", "worst", "drop")) {
  score_values(weights, values, rankings, task, fill)$cross_entropy
}

scored <- function(weights, values, rankings, task, alpha, fill) {
  rankings <- numbers_matrix("rankings", rankings)
  of <- tasks_vector(task, nrow(rankings))
  found <- answered(.Call(C_score, weights, values, rankings, of, alpha, place_among("fill", fill, FILLS)))
  found$task <- if (is.null(of)) seq_len(nrow(rankings)) else as.integer(of)
  structure(found, class = "habitus_scores")
}

#' Scores as a data frame
#'
#' @param x What [score()] or [score_values()] returned.
#' @param row.names,optional,... As in [as.data.frame()]; unused.
#' @return One row per ranking: `task`, its `entropy`, `chance` and `worst`, and the ranking's `cross_entropy` and
#'   `valid`.
#' @examples
#' as.data.frame(score(rbind(c(3, 0, 1)), rbind(c(1, 3))))
#' @export
as.data.frame.habitus_scores <- function(x, row.names = NULL, optional = FALSE, ...) {
  data.frame(
    task = x$task,
    entropy = x$entropy[x$task],
    chance = x$chance[x$task],
    worst = x$worst[x$task],
    cross_entropy = x$cross_entropy,
    valid = x$valid
  )
}

#' @export
print.habitus_scores <- function(x, n = 6L, ...) {
  rankings <- length(x$cross_entropy)
  cat(sprintf("Scores of %d rankings on %d tasks, in nats\n", rankings, length(x$entropy)))
  shown <- seq_len(min(n, rankings))
  first <- x
  first[c("task", "cross_entropy", "valid")] <- lapply(x[c("task", "cross_entropy", "valid")], `[`, shown)
  print(as.data.frame(first), ...)
  if (rankings > length(shown)) cat(sprintf("... and %d more\n", rankings - length(shown)))
  invisible(x)
}
