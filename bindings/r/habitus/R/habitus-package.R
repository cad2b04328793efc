#' How well a model predicts what groups of people do
#'
#' A thin layer over libhabitus: [score()] and [score_values()] score ranked lists of candidates, [skill()] and
#' [bounded_skill()] sum them up, [entropy()] estimates how uncertain a group's behaviour is, [turning_point()] says
#' where a model's curve turns, [draw_tasks()] makes tasks from a log. All scores are in nats; divide by `log(2)` for
#' bits.
#'
#' Candidates are numbered from 1 to K, tasks from 1 to n, and an empty slot of a ranking is `NA`. A matrix may be given
#' as a matrix, a data frame, a list of vectors of one length, a list column, or anything that [as.data.frame()] or
#' [as.matrix()] understands, such as an Arrow table.
#'
#' What cannot be scored is refused with a condition of class `habitus_error`, whose fields `status`, `row` and `column`
#' say what was wrong and where; `row` and `column` count from 1 and are `NA` where none is to blame.
#'
#' @references Saha, S. and Choudhury, M. (2025) <https://arxiv.org/abs/2507.05266>
#' @useDynLib habitus, .registration = TRUE, .fixes = "C_"
#' @keywords internal
"_PACKAGE"
