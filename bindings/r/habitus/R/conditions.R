# What cannot be scored, as a condition. libhabitus counts rows from 0, R from 1: its messages are moved here.

STATUSES <- c("bad_shape", "bad_value", "bad_index", "bad_argument", "no_memory", "bad_cpu")

refuse <- function(..., status = "bad_argument", row = NA, column = NA) {
  stop(structure(
    class = c("habitus_error", "error", "condition"),
    list(message = paste0(...), call = NULL, status = status, row = as.numeric(row), column = as.numeric(column))
  ))
}

# What a routine answered, or the condition where it failed.
answered <- function(answer) {
  if (!inherits(answer, "habitus_failure")) return(answer)
  # Rows count from the first of the piece that was scored, candidates from 0.
  message <- moved(answer$message, "row|task|ranking|at", answer$first + 1)
  message <- moved(message, "candidate|lists|user|item", 1)
  refuse(message, status = STATUSES[answer$status], row = answer$row, column = answer$column)
}

# Adds `by` to every number that follows one of the words.
moved <- function(message, words, by) {
  places <- gregexpr(sprintf("\\b(?:%s) \\K[0-9]+", words), message, perl = TRUE)
  regmatches(message, places) <- lapply(
    regmatches(message, places),
    function(numbers) format(as.numeric(numbers) + by, scientific = FALSE, trim = TRUE)
  )
  message
}
