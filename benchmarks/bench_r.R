# Nanoseconds of processor for each ranking, K = 50 candidates, N = 10 listed, one thread: R, libhabitus alone in the
# same process, and where the rest goes. `Rscript benchmarks/bench_r.R [rankings]` from the root of the repository, with
# the package installed and libhabitus where its configure looks (pkg-config, else HABITUS_PREFIX, else /usr/local).

library(habitus)

tasks <- as.integer(c(commandArgs(TRUE), 1e6)[1])
K <- 50L
N <- 10L
ROUNDS <- 7L

# Where the header and the library are.
prefix <- function() {
  known <- suppressWarnings(system2("pkg-config", c("--variable=prefix", "habitus"), stdout = TRUE, stderr = FALSE))
  if (length(known)) known else Sys.getenv("HABITUS_PREFIX", "/usr/local")
}

# r_alone.c with the package's own matrix.c.
load_alone <- function() {
  sources <- normalizePath(file.path("bindings", "r", "habitus", "src"))
  folder <- tempfile("bench-r-")
  dir.create(folder)
  file.copy(c(file.path("benchmarks", "r_alone.c"), file.path(sources, "matrix.c")), folder)
  library <- file.path(prefix(), "lib")
  Sys.setenv(
    PKG_CPPFLAGS = sprintf("-I%s -I%s", sources, file.path(prefix(), "include")),
    PKG_LIBS = sprintf("-L%s -Wl,-rpath,%s -lhabitus", library, library)
  )
  within <- setwd(folder)
  on.exit(setwd(within))
  built <- system2(file.path(R.home("bin"), "R"), c("CMD", "SHLIB", "r_alone.c", "matrix.c"), stdout = FALSE)
  if (built != 0) stop("expected a C compiler that builds benchmarks/r_alone.c")
  dyn.load("r_alone.so")
}

# Nanoseconds that the process worked; garbage is collected before.
worked <- function(work) {
  gc(FALSE)
  spent <- system.time(work(), gcFirst = FALSE)
  sum(spent[c("user.self", "sys.self")]) * 1e9 / tasks
}

set.seed(1)
counts <- matrix(rpois(tasks * K, rgamma(tasks * K, 0.35) * 8), tasks, K)
counts[, 1] <- counts[, 1] + 1L
lists <- t(replicate(10000, sample.int(K, N)))
rankings <- lists[sample.int(nrow(lists), tasks, replace = TRUE), ]
doubles <- list(counts + 0, rankings + 0)
frames <- list(as.data.frame(counts), as.data.frame(rankings))
by_row <- list(t(counts), t(rankings - 1L))
in_order <- seq_len(tasks)
scores <- score(counts, rankings)

load_alone()
JOBS <- list(
  "libhabitus alone, matrices by row" = function() .Call("alone", by_row[[1]], by_row[[2]]),
  "turning matrices alone" = function() .Call("turned", counts, rankings),
  "turning matrices of doubles alone" = function() .Call("turned", doubles[[1]], doubles[[2]]),
  "score(), integers" = function() worked(function() score(counts, rankings)),
  "score(), doubles" = function() worked(function() score(doubles[[1]], doubles[[2]])),
  "score(), task given" = function() worked(function() score(counts, rankings, task = in_order)),
  "score(), data frames" = function() worked(function() score(frames[[1]], frames[[2]])),
  "as.data.frame(scores)" = function() worked(function() as.data.frame(scores))
)

# In turn, so that a busy machine slows all; the first round warms.
found <- replicate(ROUNDS + 1L, vapply(JOBS, function(job) job(), 0))[, -1L]
median_of <- apply(found, 1, median)
cat(sprintf(
  "%-36s %7.1f ns   %5.2f x\n", names(JOBS), median_of, apply(found / rep(found[1L, ], each = nrow(found)), 1, median)
), sep = "")
cat(sprintf("%d rankings, medians of %d rounds; %s, %s\n", tasks, ROUNDS, habitus_info()$variant, R.version.string))
