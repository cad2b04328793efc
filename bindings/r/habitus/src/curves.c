/* Bins, rolling means and the curve of a model. */

#include "package.h"

/* The library refuses more; there is no memory for outputs then either. */
enum { MOST_BINS = 1 << 28 };

SEXP habitus_r_bin_means(SEXP x, SEXP y, SEXP bins, SEXP support) {
    static const char *const names[] = {"center", "mean", "count"};
    habitus_error error;
    int64_t size = (int64_t)Rf_asReal(bins), room = size > 0 && size <= MOST_BINS ? size : 0;
    SEXP out = PROTECT(habitus_r_list(3, names));
    int64_t *count = (int64_t *)R_alloc((size_t)room + 1, sizeof *count);
    double *center = REAL(habitus_r_numbers(out, 0, room)), *mean = REAL(habitus_r_numbers(out, 1, room));
    double *counted = REAL(habitus_r_numbers(out, 2, room));
    int status = habitus_bin_means(REAL(x), REAL(y), XLENGTH(x), size, REAL(support)[0], REAL(support)[1], center, mean,
                                   count, &error);
    for (int64_t b = 0; !status && b < size; b++) counted[b] = (double)count[b];
    SEXP answer = status ? habitus_r_failure(&error, 0) : out;
    UNPROTECT(1);
    return answer;
}

SEXP habitus_r_rolling_mean(SEXP values, SEXP window) {
    habitus_error error;
    int64_t size = XLENGTH(values), of = (int64_t)Rf_asReal(window);
    SEXP out = PROTECT(Rf_allocVector(REALSXP, of >= 1 && size >= of ? size - of + 1 : 0));
    int status = habitus_rolling_mean(REAL(values), size, of, REAL(out), &error);
    SEXP answer = status ? habitus_r_failure(&error, 0) : out;
    UNPROTECT(1);
    return answer;
}

/* shape: bins, window, degree. */
SEXP habitus_r_curve(SEXP entropy, SEXP cross_entropy, SEXP shape, SEXP support, SEXP grid) {
    static const char *const names[] = {"x", "outcome", "fitted"};
    habitus_error error;
    const double *given = REAL(shape), *ends = REAL(support);
    double turn;
    int outcome;
    SEXP out = PROTECT(habitus_r_list(3, names));
    double *fitted = REAL(habitus_r_numbers(out, 2, XLENGTH(grid)));
    int status = habitus_curve(REAL(entropy), REAL(cross_entropy), XLENGTH(entropy), (int64_t)given[0],
                               (int64_t)given[1], (int64_t)given[2], ends[0], ends[1], REAL(grid), XLENGTH(grid), &turn,
                               &outcome, fitted, &error);
    if (!status) {
        SET_VECTOR_ELT(out, 0, Rf_ScalarReal(turn));
        SET_VECTOR_ELT(out, 1, Rf_ScalarInteger(outcome));
    }
    SEXP answer = status ? habitus_r_failure(&error, 0) : out;
    UNPROTECT(1);
    return answer;
}
