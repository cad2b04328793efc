# Checks of what callers pass in, before libhabitus checks what the numbers mean: what was expected, and what came.

FILLS <- c("chance", "optimistic", "worst", "drop")

# A matrix of numbers, from all that holds one.
numbers_matrix <- function(name, values) {
  values <- flattened(name, values)
  if (!holds_numbers(values)) refuse(name, ": expected numbers, got ", kind(values))
  if (!is.matrix(values)) {
    refuse(
      name, ": expected a matrix, a data frame or a list of vectors, got ", described(values),
      status = "bad_shape"
    )
  }
  if (ncol(values) == 0L) {
    refuse(name, ": expected at least one column, got ", nrow(values), " x 0", status = "bad_shape")
  }
  if (is.logical(values)) storage.mode(values) <- "integer"
  values
}

# Data frames and lists as matrices; what is neither, as it is.
flattened <- function(name, values) {
  if (is.matrix(values) || (is.atomic(values) && !is.object(values))) return(values)
  if (is.object(values) && !is.data.frame(values) && !is.list(values)) {
    values <- tryCatch(as.data.frame(values), error = function(unknown) as.matrix(values))
  }
  if (is.data.frame(values)) beside(name, values) else if (is.list(values)) bound(name, values) else values
}

# The columns of a data frame side by side, or its one list column.
beside <- function(name, frame) {
  if (length(frame) == 1L && is.list(frame[[1L]])) return(bound(name, frame[[1L]]))
  for (place in seq_along(frame)) {
    if (!holds_numbers(frame[[place]])) {
      refuse(name, ": expected columns of numbers, got ", kind(frame[[place]]), " in ", names(frame)[place])
    }
  }
  # as.matrix() copies twice.
  numbers <- unlist(frame, use.names = FALSE)
  if (is.null(numbers)) numbers <- integer()
  dim(numbers) <- dim(frame)
  numbers
}

# What is nothing but NA is logical in R; what bit64 calls integers are doubles of other bits.
holds_numbers <- function(values) {
  (is.numeric(values) && !inherits(values, "integer64")) || (is.logical(values) && all(is.na(values)))
}

kind <- function(values) if (is.object(values)) class(values)[1L] else typeof(values)

# A list of vectors of one length, one of each row.
bound <- function(name, rows) {
  sizes <- lengths(rows)
  other <- which(sizes != sizes[1L])
  if (length(other)) {
    refuse(
      name, ": expected vectors of one length, got ", sizes[1L], " and, in row ", other[1L], ", ", sizes[other[1L]],
      "; fill empty slots with NA",
      status = "bad_shape", row = other[1L]
    )
  }
  if (!length(rows)) refuse(name, ": expected at least one row, got an empty list", status = "bad_shape")
  matrix(unlist(rows, use.names = FALSE), nrow = length(rows), byrow = TRUE)
}

numbers_vector <- function(name, values) {
  if (!holds_numbers(values)) refuse(name, ": expected numbers, got ", described(values))
  as.double(values)
}

# The task of each ranking; NULL where ranking s is about task s.
tasks_vector <- function(task, rankings) {
  if (is.null(task)) return(NULL)
  given <- numbers_vector("task", task)
  if (length(given) != rankings) {
    refuse("task: expected ", rankings, " numbers, one for each ranking, got ", length(given), status = "bad_shape")
  }
  given
}

# NaN, which libhabitus reads as its default, where nothing is given.
one_number <- function(name, value) {
  if (is.null(value)) return(NaN)
  if (!is.numeric(value) || length(value) != 1L || is.na(value)) {
    refuse(name, ": expected one number, got ", described(value))
  }
  as.double(value)
}

whole_number <- function(name, value) {
  given <- one_number(name, value)
  if (is.nan(given) || given != trunc(given) || abs(given) > 2^53) {
    refuse(name, ": expected a whole number, got ", described(value))
  }
  given
}

# The place, from 0, of the one that is given among the choices; the first where the caller gave none.
place_among <- function(name, given, choices) {
  if (identical(given, choices)) return(0L)
  if (!is.character(given) || length(given) != 1L || !given %in% choices) {
    refuse(name, ": expected one of ", paste(choices, collapse = ", "), ", got ", described(given))
  }
  match(given, choices) - 1L
}

both_ends <- function(support) {
  if (is.null(support)) return(c(NaN, NaN))
  if (!is.numeric(support) || length(support) != 2L || anyNA(support)) {
    refuse("support: expected c(low, high), got ", described(support))
  }
  as.double(support)
}

described <- function(value) {
  if (is.character(value) && length(value) == 1L) return(encodeString(value, quote = "\""))
  if (is.atomic(value) && length(value) == 1L) return(format(value))
  if (is.null(value)) return("NULL")
  sprintf("%s of length %d", class(value)[1L], length(value))
}
