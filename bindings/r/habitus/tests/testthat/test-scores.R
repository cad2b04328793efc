FILLS <- c("chance", "optimistic", "worst", "drop")

test_that("scores agree with the formulas", {
  set.seed(1)
  for (candidates in 2:6) {
    for (fill in FILLS) {
      case <- random_case(6L, candidates, sample.int(min(candidates, 4L), 1L), rankings = 10L)
      alpha <- runif(1, 0.01, 2)
      scores <- score(case$counts, case$rankings, case$task, alpha, fill)
      expected <- vapply(
        seq_len(10L), function(s) twin(case$counts[case$task[s], ], case$rankings[s, ], alpha, fill), 0
      )
      expect_equal(scores$cross_entropy, expected, tolerance = 1e-12)
      expect_equal(scores$entropy, apply(case$counts, 1L, twin_entropy, alpha), tolerance = 1e-12)
      expect_identical(scores$valid, as.integer(rowSums(!is.na(case$rankings))))
      expect_identical(scores$task, case$task)
    }
  }
})

test_that("scores keep their bounds", {
  set.seed(2)
  for (candidates in c(3L, 10L, 50L, 70L)) {
    case <- random_case(40L, candidates, 3L)
    for (fill in FILLS[1:3]) {
      scores <- score(case$counts, case$rankings, fill = fill)
      expect_true(all(scores$entropy <= scores$cross_entropy + 1e-12))
      expect_true(all(scores$cross_entropy <= scores$worst + 1e-12))
      expect_true(all(scores$entropy <= scores$chance + 1e-12 & scores$chance <= scores$worst + 1e-12))
    }
  }
})

test_that("renumbering candidates changes nothing", {
  set.seed(3)
  case <- random_case(30L, 12L, 5L)
  new <- sample.int(12L)
  moved <- case$counts
  moved[, new] <- case$counts
  before <- score(case$counts, case$rankings)
  after <- score(moved, matrix(new[case$rankings], 30L))
  for (name in names(before)) expect_equal(after[[name]], before[[name]], tolerance = 1e-12)
})

test_that("an empty list scores as its fill says", {
  counts <- rbind(c(5, 3, 1, 0))
  empty <- matrix(NA, 1, 2)
  scores <- score(counts, empty)
  expect_equal(scores$cross_entropy, scores$chance)
  expect_equal(score(counts, empty, fill = "worst")$cross_entropy, scores$worst)
  expect_equal(score(counts, empty, fill = "optimistic")$cross_entropy, scores$entropy)
  expect_identical(score(counts, empty, fill = "drop")$cross_entropy, NaN)
})

test_that("pieces score as the whole", {
  set.seed(4)
  # Pieces hold 2^19 counts: nine here, the last a short one.
  case <- random_case(45000L, 100L, 2L)
  whole <- score(case$counts, case$rankings)
  given <- score(case$counts, case$rankings, task = seq_len(45000L))
  expect_identical(given, whole)
  last <- 44990:45000
  expect_identical(score(case$counts[last, ], case$rankings[last, ])$cross_entropy, whole$cross_entropy[last])
  expect_identical(entropy(case$counts)[last], entropy(case$counts[last, ]))
})

test_that("held-out targets agree with counts where they are those", {
  set.seed(5)
  case <- random_case(20L, 9L, 4L)
  p <- t(apply(case$counts, 1L, smoothed, 1 / 9))
  expected <- score(case$counts, case$rankings)
  found <- score_values(p, p, case$rankings)
  for (name in names(expected)) expect_equal(found[[name]], expected[[name]], tolerance = 1e-12)
  expect_identical(cross_entropy(p, p, case$rankings), found$cross_entropy)
})

test_that("skill is 1 for perfect lists and 0 for what scores as chance", {
  set.seed(6)
  case <- random_case(30L, 8L, 8L)
  perfect <- score(case$counts, t(apply(-case$counts, 1L, order)))
  expect_equal(skill(perfect)$value, 1)
  expect_equal(bounded_skill(perfect)$value, 1)
  expect_equal(skill(score(case$counts, matrix(NA, 30, 8)))$value, 0)
  backwards <- score(case$counts, t(apply(case$counts, 1L, order)))
  expect_equal(bounded_skill(backwards)$value, 0)
})

test_that("skill leaves out what cannot be told from chance, and what has no cross-entropy", {
  scores <- score(rbind(c(1, 1), c(9, 1), c(9, 1)), rbind(1, 1, NA), fill = "drop")
  expect_identical(skill(scores)[c("tasks", "excluded")], data.frame(tasks = 1, excluded = 2))
  expect_identical(skill(scores, min_gap = 100), data.frame(value = NaN, tasks = 0, excluded = 3))
  by_hand <- as.data.frame(scores)[2, ]
  expect_equal(skill(scores)$value, with(by_hand, 1 - (cross_entropy - entropy) / (chance - entropy)))
})

test_that("scores print, and are a data frame of one row per ranking", {
  scores <- score(rbind(c(3, 0, 1), c(1, 1, 5)), rbind(c(1, 3), c(2, NA), c(3, 1)), task = c(2, 2, 1))
  frame <- as.data.frame(scores)
  expect_identical(names(frame), c("task", "entropy", "chance", "worst", "cross_entropy", "valid"))
  expect_identical(frame$entropy, scores$entropy[c(2, 2, 1)])
  expect_output(print(scores), "Scores of 3 rankings on 2 tasks, in nats")
  expect_output(print(scores, n = 2), "... and 1 more", fixed = TRUE)
})

test_that("nothing scores as nothing", {
  nothing <- score(matrix(0L, 0, 5), matrix(0L, 0, 3))
  expect_identical(lengths(unclass(nothing), use.names = FALSE), rep(0L, 6))
  expect_equal(score(rbind(c(1, 2)), matrix(0L, 0, 1), task = integer())$entropy, entropy(rbind(c(1, 2))))
  expect_identical(dim(as.data.frame(nothing)), c(0L, 6L))
})

test_that("the library says what it is", {
  info <- habitus_info()
  expect_identical(names(info), c("version", "variant", "candidates"))
  expect_true(50L %in% info$candidates)
  expect_identical(info$version, as.character(packageVersion("habitus")))
})
