/* Entropies, piece by piece, and what the library says of itself. */

#include "package.h"

SEXP habitus_r_entropy(SEXP counts, SEXP estimator, SEXP alpha) {
    int which = Rf_asInteger(estimator), status = HABITUS_OK;
    int reals = which == HABITUS_DIRICHLET || which == HABITUS_NSB;
    matrix m = habitus_r_matrix("counts", counts, reals ? REALS : COUNTS, 0);
    habitus_error error = {.row = -1, .column = -1};
    int64_t step = habitus_r_piece(m.columns), first = 0;
    if (step > m.rows) step = m.rows;
    habitus_r_hold(&m, step);
    SEXP out = PROTECT(Rf_allocVector(REALSXP, m.rows));
    do {
        int64_t size = m.rows - first < step ? m.rows - first : step;
        if ((status = habitus_r_rows(&m, first, size, &error)) ||
            (status = habitus_entropy(m.held, m.type, size, m.columns, which, Rf_asReal(alpha), REAL(out) + first,
                                      &error)))
            break;
        R_CheckUserInterrupt();
        first += step;
    } while (first < m.rows);
    SEXP answer = status ? habitus_r_failure(&error, first) : out;
    UNPROTECT(1);
    return answer;
}

SEXP habitus_r_info(void) {
    static const char *const names[] = {"version", "variant", "candidates"};
    const int64_t *candidates = habitus_candidates();
    int size = 0;
    while (candidates[size]) size++;
    SEXP out = PROTECT(habitus_r_list(3, names));
    SET_VECTOR_ELT(out, 0, Rf_mkString(habitus_version()));
    SET_VECTOR_ELT(out, 1, Rf_mkString(habitus_variant()));
    SET_VECTOR_ELT(out, 2, Rf_allocVector(INTSXP, size));
    for (int i = 0; i < size; i++) INTEGER(VECTOR_ELT(out, 2))[i] = (int)candidates[i];
    UNPROTECT(1);
    return out;
}
