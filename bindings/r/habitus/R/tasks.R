# Tasks drawn from a log of who chose what.

RULES <- c("half", "quintiles", "literal", "inventory")

# An item takes libhabitus some 30 bytes, whether anybody chose it or not.
MOST_ITEMS <- 2^26

#' Draw tasks from a log of who chose what
#'
#' Each draw has a cell (a demography, say) and a history: items that a prompt says people know. Its group are the users
#' of the cell who chose at least `needed` items of the history. Candidates are drawn by a rule, in random order, and
#' the users of the group who chose each are counted: a row of counts for [score()].
#'
#' Users and items are numbered from 1; a factor is read as its codes. Where `log$item` is a factor,
#' `levels(log$item)[tasks$candidates]` are the names of the candidates.
#'
#' Each draw has a seed of its own, made of `seed` and its number, so that it does not matter what is drawn beside it:
#' pieces of a study, each with its `first`, may be drawn by several processes. The same numbers give the same tasks in
#' Python: `sampling.seeds(seed, range(first - 1, first - 1 + draws))`.
#'
#' @param log A data frame with the columns `user` and `item`: who chose what, each pair once. Numbers, or factors.
#' @param cell_of_user The cell of each user, `NA` for none, as many as there are users: numbers from 1, a factor or
#'   names.
#' @param cells The cell of each draw, in the same terms. A number that no user has is a cell of nobody.
#' @param histories One row of items per draw, each item once in its row, up to 255: a matrix, a data frame, or a list
#'   of vectors. Default: no history, so that a group is its whole cell.
#' @param needed How many items of its history a user must have chosen: from 1 to their number, 0 where there are none.
#'   Default: three fifths of them.
#' @param seed The seed of the study, a whole number from 0 to 2^53 - 1.
#' @param first The number of the first draw.
#' @param inventory Distinct items that may be candidates. Default: all, from 1 to the last level, or to the largest
#'   number in the log and the histories.
#' @param min_users No candidates are drawn for a smaller group.
#' @param candidates How many per task, from 1 to 32767.
#' @param rule `"half"`: half never chosen by anyone of the group, half chosen, both without the history. `"quintiles"`:
#'   a fifth from each popularity fifth of the inventory, without the history. `"literal"`: Algorithm 1 of the source as
#'   printed. `"inventory"`: half from all of the inventory, half chosen. A short part is filled from the others.
#'
#' @return A list: `group_size`, how many users each group has; `candidates`, a matrix with one row of items per draw,
#'   `NA` where the group is too small or so many candidates are not to be found; `counts`, a matrix of the same shape,
#'   how many users of the group chose each, 0 where there are no candidates: those rows are no tasks.
#' @examples
#' set.seed(1)
#' log <- unique(data.frame(user = sample(40, 900, TRUE), item = sample(60, 900, TRUE)))
#' gender <- sample(c("men", "women"), 40, TRUE)
#' histories <- draw_histories(4, 1:60, 3, seed = 7)
#' tasks <- draw_tasks(log, gender, c("men", "women", "men", "women"), histories, seed = 7, candidates = 6)
#' tasks
#'
#' # What is a task is scored: here a model that lists candidates 1, 2 and 3 of each.
#' found <- !is.na(tasks$candidates[, 1])
#' score(tasks$counts[found, ], matrix(1:3, sum(found), 3, byrow = TRUE))
#' @seealso [draw_histories()]
#' @export
draw_tasks <- function(log, cell_of_user, cells, histories = NULL, needed = NULL, seed = 0, first = 1,
                       inventory = NULL, min_users = 1, candidates = 50,
                       rule = c("half", "quintiles", "literal", "inventory")) {
  pairs <- log_columns(log)
  known <- cell_codes(cell_of_user, cells)
  held <- histories_matrix(histories, length(known$cells))
  if (is.null(needed)) needed <- (3 * ncol(held) + 4) %/% 5
  options <- c(
    whole_number("needed", needed), whole_number("min_users", min_users), whole_number("candidates", candidates),
    place_among("rule", rule, RULES)
  )
  if (!is.null(inventory)) inventory <- distinct_items(inventory, log[["item"]])
  size <- item_count(log[["item"]], c(pairs$items, held, inventory))
  if (is.null(inventory)) inventory <- seq_len(size)
  check_users(log[["user"]], length(known$of_user))
  answered(.Call(
    C_tasks, pairs$users, pairs$items, size, known$of_user, known$cells, held, study(seed, first), inventory, options
  ))
}

#' Draw histories
#'
#' Histories of distinct items, each as likely as any. With the same `seed` a shorter history is the beginning of a
#' longer one.
#'
#' @param draws How many.
#' @param inventory Distinct items to draw from: numbers from 1, or the factor that they are of.
#' @param length Items in each history, from 0 to as many as there are to draw from.
#' @inheritParams draw_tasks
#' @return A matrix of `draws` rows and `length` columns, for [draw_tasks()].
#' @examples
#' draw_histories(3, 1:10, 4, seed = 7)
#' draw_histories(2, 1:10, 2, seed = 7, first = 2)
#' @export
draw_histories <- function(draws, inventory, length, seed = 0, first = 1) {
  rows <- whole_number("draws", draws)
  if (rows < 0 || rows > .Machine$integer.max) {
    refuse("draws: expected a whole number from 0 to ", .Machine$integer.max, ", got ", described(draws))
  }
  columns <- whole_number("length", length)
  if (columns < 0) refuse("length: expected a whole number from 0, got ", described(length))
  answered(.Call(C_histories, study(seed, first), rows, distinct_items(inventory), columns))
}

log_columns <- function(log) {
  if (!is.list(log) || !all(c("user", "item") %in% names(log))) {
    refuse("log: expected a data frame with the columns user and item, got ", described(log))
  }
  pairs <- list(users = whole_vector("log$user", log[["user"]]), items = whole_vector("log$item", log[["item"]]))
  if (length(pairs$users) != length(pairs$items)) {
    refuse(
      "log: expected as many users as items, got ", length(pairs$users), " and ", length(pairs$items),
      status = "bad_shape"
    )
  }
  pairs
}

# Numbers, or the codes of a factor; libhabitus' side looks at each of them.
whole_vector <- function(name, values) {
  if (is.factor(values)) return(as.integer(values))
  if (!holds_numbers(values)) refuse(name, ": expected numbers or a factor, got ", described(values))
  if (is.double(values)) as.vector(values) else as.integer(values)
}

# Cells by name or by number, as numbers.
cell_codes <- function(cell_of_user, cells) {
  if (is.factor(cell_of_user) || is.character(cell_of_user)) {
    cell_of_user <- as.factor(cell_of_user)
    known <- match(as.character(cells), levels(cell_of_user))
    other <- which(is.na(known))
    if (length(other)) {
      refuse(
        "cells: expected one of ", toString(levels(cell_of_user), width = 200), ", got ", described(cells[[other[1L]]]),
        " at ", other[1L],
        status = "bad_index", row = other[1L]
      )
    }
    cells <- known
  } else if (is.factor(cells)) {
    refuse("cells: expected numbers, as cell_of_user holds them, got ", described(cells))
  }
  list(of_user = whole_vector("cell_of_user", cell_of_user), cells = whole_vector("cells", cells))
}

histories_matrix <- function(histories, draws) {
  none <- is.matrix(histories) && ncol(histories) == 0L
  held <- if (is.null(histories)) {
    matrix(0L, draws, 0L)
  } else if (none) {
    matrix(0L, nrow(histories), 0L)
  } else {
    numbers_matrix("histories", histories)
  }
  if (nrow(held) != draws) {
    refuse("histories: expected ", draws, " rows, one for each cell, got ", nrow(held), status = "bad_shape")
  }
  held
}

# Numbers of items, or the items that a factor holds: one of the levels of `among`, if that is a factor too.
distinct_items <- function(inventory, among = inventory) {
  if (is.factor(inventory) && !identical(levels(inventory), levels(among))) {
    refuse("inventory: expected the levels of log$item, got others")
  }
  items <- whole_vector("inventory", inventory)
  if (is.factor(inventory)) items <- unique(items)
  again <- anyDuplicated(items)
  if (again) {
    twice <- format(items[again], scientific = FALSE)
    refuse("inventory: expected distinct items, got ", twice, " twice", status = "bad_value")
  }
  items
}

# How many items there are: as many as a factor has levels, else up to the largest number.
item_count <- function(items, numbers) {
  size <- if (is.factor(items)) nlevels(items) else max(0, numbers, na.rm = TRUE)
  if (size > MOST_ITEMS) {
    refuse(
      "items: expected numbers from 1 to ", MOST_ITEMS, ", got ", format(size, digits = 15),
      "; number them without gaps, as factor() does",
      status = "bad_shape"
    )
  }
  size
}

check_users <- function(users, given) {
  if (is.factor(users) && nlevels(users) != given) {
    refuse(
      "cell_of_user: expected ", nlevels(users), " cells, one for each level of log$user, got ", given,
      status = "bad_shape"
    )
  }
}

# A study's seed, and the number of the first draw from 0.
study <- function(seed, first) {
  base <- whole_number("seed", seed)
  if (base < 0 || base >= 2^53) refuse("seed: expected a whole number from 0 to 2^53 - 1, got ", described(seed))
  number <- whole_number("first", first)
  if (number < 1) refuse("first: expected a whole number from 1, got ", described(first))
  c(base, number - 1)
}
