/* What R is given back: lists with names, and failures, which conditions.R makes conditions of. */

#include "package.h"

SEXP habitus_r_list(int size, const char *const *names) {
    SEXP list = PROTECT(Rf_allocVector(VECSXP, size)), named = PROTECT(Rf_allocVector(STRSXP, size));
    for (int i = 0; i < size; i++) SET_STRING_ELT(named, i, Rf_mkChar(names[i]));
    Rf_setAttrib(list, R_NamesSymbol, named);
    UNPROTECT(2);
    return list;
}

SEXP habitus_r_numbers(SEXP list, int place, int64_t size) {
    SET_VECTOR_ELT(list, place, Rf_allocVector(REALSXP, size));
    return VECTOR_ELT(list, place);
}

static SEXP position(int64_t place, int64_t first) {
    return Rf_ScalarReal(place < 0 ? NA_REAL : (double)(place + first + 1));
}

/* `first`: the row that the call counted as 0. */
SEXP habitus_r_failure(const habitus_error *error, int64_t first) {
    static const char *const names[] = {"message", "status", "row", "column", "first"};
    SEXP failure = PROTECT(habitus_r_list(5, names));
    SET_VECTOR_ELT(failure, 0, Rf_ScalarString(Rf_mkCharCE(error->message, CE_UTF8)));
    SET_VECTOR_ELT(failure, 1, Rf_ScalarInteger(error->status));
    SET_VECTOR_ELT(failure, 2, position(error->row, first));
    SET_VECTOR_ELT(failure, 3, position(error->column, 0));
    SET_VECTOR_ELT(failure, 4, Rf_ScalarReal((double)first));
    Rf_setAttrib(failure, R_ClassSymbol, PROTECT(Rf_mkString("habitus_failure")));
    UNPROTECT(2);
    return failure;
}
