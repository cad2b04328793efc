# One number for one model.

#' How far a model's lists are from chance towards perfect
#'
#' `skill()`: S = 1 - sum(CE - H) / sum(chance - H), 1 for perfect lists, 0 for random ones, below 0 for worse;
#' `bounded_skill()`: with the worst list in place of chance, in \[0, 1\]. The sums go over one model's rankings.
#'
#' @param scores One model's: what [score()] returned, or a data frame with the columns `entropy`, `chance`, `worst` and
#'   `cross_entropy`, one row per ranking.
#' @param min_gap Nats. Rankings of tasks with chance - H below it are left out: they cannot tell a good list from a
#'   random one. Default 0.02 bits.
#' @return A data frame of one row: `value`, `NaN` where no ranking is left; `tasks`, how many rankings it is from; and
#'   `excluded`, how many more had no cross-entropy, or chance too near to H.
#' @examples
#' counts <- rbind(c(12, 5, 3, 0), c(1, 7, 2, 2))
#' skill(score(counts, rbind(c(1, 3), c(2, 4))))
#'
#' # Two models on the same tasks.
#' scores <- as.data.frame(score(counts, rbind(c(1, 2), c(2, 3), c(4, 3), c(1, 2)), task = c(1, 2, 1, 2)))
#' do.call(rbind, lapply(split(scores, c("a", "a", "b", "b")), skill))
#' @export
skill <- function(scores, min_gap = 0.02 * log(2)) {
  towards_perfect(scores, "chance", min_gap)
}

#' @rdname skill
#' @export
bounded_skill <- function(scores, min_gap = 0.02 * log(2)) {
  towards_perfect(scores, "worst", min_gap)
}

towards_perfect <- function(scores, reference, min_gap) {
  wanted <- c("entropy", "chance", reference, "cross_entropy")
  if (!is.list(scores) || !all(wanted %in% names(scores))) {
    refuse("scores: expected what score() returns, or a data frame with ", paste(unique(wanted), collapse = ", "))
  }
  numbers <- lapply(scores[wanted], function(column) as.double(column))
  task <- if (is.data.frame(scores)) NULL else as.double(scores$task)
  gap <- one_number("min_gap", min_gap)
  as.data.frame(answered(.Call(C_skill, numbers[[1L]], numbers[[2L]], numbers[[3L]], numbers[[4L]], task, gap)))
}
