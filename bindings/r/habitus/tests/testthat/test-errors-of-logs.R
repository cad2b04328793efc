log <- data.frame(user = c(1L, 1L, 2L), item = c(1L, 3L, 3L))
of_user <- c(1, 1)
drawn <- function(...) draw_tasks(candidates = 2, ...)
with <- function(...) replace(log, ...)

test_refusals(list(
  list(quote(drawn(1, of_user, 1)), "bad_argument", NA, NA, "log: expected a data frame .* user and item, got 1"),
  list(quote(drawn(log["user"], of_user, 1)), "bad_argument", NA, NA, "log: .* got data.frame of length 1"),
  list(quote(drawn(list(user = 1:2, item = 1), of_user, 1)), "bad_shape", NA, NA, "many users as items, got 2 and 1"),
  list(quote(drawn(with("user", "a"), of_user, 1)), "bad_argument", NA, NA, "log\\$user: expected numbers or a factor"),
  list(quote(drawn(with("item", TRUE), of_user, 1)), "bad_argument", NA, NA, "item: expected numbers or a factor"),
  list(quote(drawn(with("user", 3:1), of_user, 1)), "bad_index", 1, 1, "log\\$user: .* from 1 to 2, row 1 holds 3"),
  list(quote(drawn(with("user", 2:0), c(1, 1), 1)), "bad_index", 3, 1, "log\\$user: .* from 1 to 2, row 3 holds 0"),
  list(quote(drawn(with("user", c(1, NA, 1)), of_user, 1)), "bad_index", 2, 1, "user: .* row 2 holds NA"),
  list(quote(drawn(with("user", NA), of_user, 1)), "bad_index", 1, 1, "user: .* row 1 holds NA"),
  list(quote(drawn(with("item", 0:2), of_user, 1)), "bad_index", 1, 1, "item: .* from 1 to 2, row 1 holds 0"),
  list(quote(drawn(with("item", c(1, 1.5, 2)), of_user, 1)), "bad_index", 2, 1, "item: .* row 2 holds 1.5"),
  list(quote(drawn(with("item", c(1, 2^40, 2)), of_user, 1)), "bad_shape", NA, NA, "got 1099511627776; number them"),
  list(quote(drawn(with("item", c(1, Inf, 2)), of_user, 1)), "bad_shape", NA, NA, "items: .* got Inf; number them"),
  list(quote(drawn(log[c(1, 2, 3, 2), ], of_user, 1)), "bad_value", 1, 3, "pairs, got user 1, item 3 twice"),
  list(
    quote(drawn(with("user", factor(1:3)), of_user, 1)),
    "bad_shape", NA, NA, "cell_of_user: expected 3 cells, one for each level of log\\$user, got 2"
  ),
  list(quote(drawn(log, c(0, 1), 1)), "bad_index", 1, 1, "cell_of_user: expected NA or .* from 1 .* row 1 holds 0"),
  list(quote(drawn(log, c(1, 2.5), 1)), "bad_index", 2, 1, "cell_of_user: .* row 2 holds 2.5"),
  list(quote(drawn(log, NULL, 1)), "bad_argument", NA, NA, "cell_of_user: expected numbers or a factor, got NULL"),
  list(quote(drawn(log, of_user, NA)), "bad_index", 1, 1, "cells: expected whole numbers from 1 .* row 1 holds NA"),
  list(quote(drawn(log, of_user, "a")), "bad_argument", NA, NA, "cells: expected numbers or a factor, got \"a\""),
  list(quote(drawn(log, of_user, factor("a"))), "bad_argument", NA, NA, "cells: expected numbers, as cell_of_user"),
  list(quote(drawn(log, c("m", "w"), c("m", "x"))), "bad_index", 2, NA, "cells: expected one of m, w, got \"x\" at 2"),
  list(quote(drawn(log, c("m", NA), c("m", NA))), "bad_index", 2, NA, "cells: expected one of m, got NA at 2"),
  list(quote(drawn(log, of_user, 1, rbind(1, 2))), "bad_shape", NA, NA, "histories: expected 1 rows, .* got 2"),
  list(quote(drawn(log, of_user, 1, rbind(0))), "bad_index", 1, 1, "histories: .* from 1 to 3, row 1 holds 0"),
  list(quote(drawn(log, of_user, 1, rbind(c(1, NA)))), "bad_index", 1, 2, "histories: .* row 1 holds NA"),
  list(quote(drawn(log, of_user, 1, "a")), "bad_argument", NA, NA, "histories: expected numbers"),
  list(quote(drawn(log, of_user, 1, rbind(1:256))), "bad_shape", NA, NA, "history of at most 255 items, got 256"),
  list(quote(drawn(log, of_user, 1, rbind(1:2), 3)), "bad_argument", NA, NA, "1 <= needed <= 2 items .* got 3"),
  list(quote(drawn(log, of_user, 1, rbind(1:2), 0)), "bad_argument", NA, NA, "1 <= needed <= 2 items .* got 0"),
  list(quote(drawn(log, of_user, 1, needed = 1)), "bad_argument", NA, NA, "needed <= 0 items .* got 1"),
  list(quote(drawn(log, of_user, 1, needed = 0.5)), "bad_argument", NA, NA, "needed: expected a whole number, got 0.5"),
  list(quote(drawn(log, of_user, 1, seed = -1)), "bad_argument", NA, NA, "seed: .* from 0 to 2\\^53 - 1, got -1"),
  list(quote(drawn(log, of_user, 1, seed = 2^53)), "bad_argument", NA, NA, "seed: .* got 9.007199e\\+15"),
  list(quote(drawn(log, of_user, 1, seed = NA)), "bad_argument", NA, NA, "seed: expected one number, got NA"),
  list(quote(drawn(log, of_user, 1, first = 0)), "bad_argument", NA, NA, "first: expected .* from 1, got 0"),
  list(quote(drawn(log, of_user, 1, inventory = c(2, 2))), "bad_value", NA, NA, "distinct items, got 2 twice"),
  list(quote(drawn(log, of_user, 1, inventory = 0:1)), "bad_index", 1, 1, "inventory: .* row 1 holds 0"),
  list(quote(drawn(log, of_user, 1, inventory = "a")), "bad_argument", NA, NA, "inventory: .* numbers or a factor"),
  list(
    quote(drawn(with("item", factor(1:3)), of_user, 1, inventory = 4)),
    "bad_index", 1, 1, "inventory: .* from 1 to 3, row 1 holds 4"
  ),
  list(quote(drawn(log, of_user, 1, inventory = factor("a"))), "bad_argument", NA, NA, "the levels of log\\$item"),
  list(quote(drawn(log, of_user, 1, min_users = 1.5)), "bad_argument", NA, NA, "min_users: expected a whole number"),
  list(quote(draw_tasks(log, of_user, 1, candidates = 0)), "bad_shape", NA, NA, "from 1 to 32767 candidates, got 0"),
  list(quote(draw_tasks(log, of_user, 1, candidates = -9)), "bad_shape", NA, NA, "candidates, got -9"),
  list(quote(draw_tasks(log, of_user, 1, candidates = 2^53)), "bad_shape", NA, NA, "candidates, got 9007199254740992"),
  list(quote(drawn(log, of_user, 1, rule = "best")), "bad_argument", NA, NA, "rule: expected one of half, .*\"best\""),
  list(quote(draw_histories(-1, 1:3, 1)), "bad_argument", NA, NA, "draws: expected .* from 0 to 2147483647, got -1"),
  list(quote(draw_histories(2^31, 1:3, 1)), "bad_argument", NA, NA, "draws: expected .* got 2147483648"),
  list(quote(draw_histories(1, 1:3, 4)), "bad_shape", NA, NA, "history of at most 3 items \\(the inventory\\), got 4"),
  list(quote(draw_histories(1, 1:3, -1)), "bad_argument", NA, NA, "length: expected a whole number from 0, got -1"),
  list(quote(draw_histories(1, c(3, 3), 1)), "bad_value", NA, NA, "inventory: expected distinct items, got 3 twice"),
  list(quote(draw_histories(1, c(1, NA), 1)), "bad_index", 2, 1, "inventory: .* row 2 holds NA"),
  list(quote(draw_histories(1, 2^31, 1)), "bad_index", 1, 1, "inventory: .* to 2147483647, row 1 holds 2147483648")
))

test_that("2000 malformed calls are refused, or give tasks that may be", {
  set.seed(6)
  one_of <- function(choices) choices[[sample.int(length(choices), 1L)]]
  odd <- list(NULL, NA, NaN, Inf, -1, 0, 1.5, 2^31, 2^53, "a", TRUE, list(), matrix(1:4, 2), factor(c("x", "y")), sum)
  maybe <- function(value) if (runif(1) < 0.06) one_of(odd) else value
  items <- function(size) sample(c(1:6, if (runif(1) < 0.05) c(0, NA, 7)), size, TRUE)
  seen <- c(ok = 0, refused = 0)
  for (call in 1:2000) {
    draws <- sample.int(5L, 1L) - 1L
    log <- unique(data.frame(user = sample.int(5L, 12L, TRUE), item = items(12)))
    if (runif(1) < 0.1) log <- list(user = one_of(odd), item = maybe(log$item))
    histories <- if (runif(1) < 0.5) matrix(items(draws * 2), draws, 2)
    found <- refused(draw_tasks(
      maybe(log), maybe(sample(c(1:2, NA), 5L, TRUE)), maybe(rep_len(1:2, draws)), maybe(histories), NULL,
      maybe(3), maybe(1), maybe(one_of(list(NULL, 1:6, 6:3))), maybe(1), maybe(one_of(1:4)), maybe(one_of(RULES))
    ))
    seen <- seen + if (inherits(found, "habitus_error")) 0:1 else 1:0
    if (inherits(found, "habitus_error")) next
    most <- ifelse(is.na(found$candidates), 0, found$group_size[row(found$counts)])
    expect_true(all(found$counts >= 0 & found$counts <= most))
  }
  expect_true(all(seen > 200))
})
