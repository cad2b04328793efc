/* For bench_r.R: nanoseconds of processor for a ranking in libhabitus alone, and for turning the matrices. */

#include <time.h>

#include "package.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* counts and rankings lie row by row here, as integers, candidates from 0: the transposes of R's matrices. */
SEXP alone(SEXP counts, SEXP rankings) {
    int64_t K = Rf_nrows(counts), N = Rf_nrows(rankings), tasks = Rf_ncols(counts);
    SEXP numbers = PROTECT(Rf_allocVector(REALSXP, 4 * tasks)), valid = PROTECT(Rf_allocVector(INTSXP, tasks));
    double *out = REAL(numbers), start = now();
    habitus_error error;
    if (habitus_score(INTEGER(counts), HABITUS_INT32, tasks, K, INTEGER(rankings), HABITUS_INT32, tasks, N, NULL, NAN,
                      HABITUS_CHANCE, out, out + tasks, out + 2 * tasks, out + 3 * tasks, INTEGER(valid), &error))
        Rf_error("%s", error.message);
    double spent = now() - start;
    UNPROTECT(2);
    return Rf_ScalarReal(spent / (double)tasks);
}

/* As score() turns R's matrices, and nothing else. */
SEXP turned(SEXP counts, SEXP rankings) {
    matrix c = habitus_r_matrix("counts", counts, COUNTS, 0);
    matrix l = habitus_r_matrix("rankings", rankings, RANKINGS, c.columns);
    int64_t step = habitus_r_piece(c.columns);
    habitus_error error;
    habitus_r_hold(&c, step);
    habitus_r_hold(&l, step);
    double start = now();
    for (int64_t first = 0; first < c.rows; first += step) {
        int64_t size = c.rows - first < step ? c.rows - first : step;
        if (habitus_r_rows(&c, first, size, &error) || habitus_r_rows(&l, first, size, &error))
            Rf_error("%s", error.message);
    }
    return Rf_ScalarReal((now() - start) / (double)c.rows);
}
