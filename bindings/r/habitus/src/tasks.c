/* Histories, and tasks drawn from a log. */

#include "package.h"

enum { MOST_CANDIDATES = INT16_MAX, LARGEST = INT32_MAX };

/* study: the seed, and the number of the first draw. */
static const uint64_t *seeds(SEXP study, int64_t draws, habitus_error *error) {
    uint64_t *out = (uint64_t *)R_alloc((size_t)draws + 1, sizeof *out);
    habitus_seeds((uint64_t)REAL(study)[0], (uint64_t)REAL(study)[1], draws, out, error);
    return out;
}

/* All rows of a matrix or a vector of numbers, from 0. */
static matrix numbers(const char *name, SEXP values, content content, int64_t bound, habitus_error *error) {
    matrix m = habitus_r_matrix(name, values, content, bound);
    habitus_r_hold(&m, m.rows);
    if (!error->status) habitus_r_rows(&m, 0, m.rows, error);
    return m;
}

/* Items that lie row by row, from 0 and -1 for none, into a matrix of R, from 1. */
static void items_of_r(SEXP out, const int32_t *items, int64_t rows, int64_t columns) {
    for (int64_t j = 0; j < columns; j++)
        for (int64_t i = 0; i < rows; i++) {
            int32_t item = items[i * columns + j];
            INTEGER(out)[i + j * rows] = item < 0 ? NA_INTEGER : item + 1;
        }
}

static void counts_of_r(SEXP out, const int32_t *counts, int64_t rows, int64_t columns) {
    for (int64_t j = 0; j < columns; j++)
        for (int64_t i = 0; i < rows; i++) INTEGER(out)[i + j * rows] = counts[i * columns + j];
}

SEXP habitus_r_histories(SEXP study, SEXP draws, SEXP inventory, SEXP length) {
    habitus_error error = {.row = -1, .column = -1};
    matrix offered = numbers("inventory", inventory, NUMBERS, LARGEST, &error);
    int64_t rows = (int64_t)Rf_asReal(draws), columns = (int64_t)Rf_asReal(length);
    int64_t room = columns <= offered.rows ? columns : 0; /* more is refused */
    int32_t *held = (int32_t *)R_alloc((size_t)(rows * room) + 1, sizeof *held);
    if (!error.status)
        habitus_histories(seeds(study, rows, &error), rows, offered.held, offered.rows, columns, held, &error);
    if (error.status) return habitus_r_failure(&error, 0);
    SEXP out = PROTECT(Rf_allocMatrix(INTSXP, (int)rows, (int)columns));
    items_of_r(out, held, rows, columns);
    UNPROTECT(1);
    return out;
}

/* options: needed, min_users, candidates, rule. */
SEXP habitus_r_tasks(SEXP users, SEXP items, SEXP item_count, SEXP cell_of_user, SEXP cells, SEXP histories, SEXP study,
                     SEXP inventory, SEXP options) {
    static const char *const names[] = {"group_size", "candidates", "counts"};
    habitus_error error = {.row = -1, .column = -1};
    int64_t size = (int64_t)Rf_asReal(item_count);
    matrix cell = numbers("cell_of_user", cell_of_user, RANKINGS, LARGEST, &error);
    matrix user = numbers("log$user", users, NUMBERS, cell.rows, &error);
    matrix item = numbers("log$item", items, NUMBERS, size, &error);
    matrix wanted = numbers("cells", cells, NUMBERS, LARGEST, &error);
    matrix history = numbers("histories", histories, NUMBERS, size, &error);
    matrix offered = numbers("inventory", inventory, NUMBERS, size, &error);
    const double *given = REAL(options);
    int64_t draws = wanted.rows, columns = (int64_t)given[2];
    int64_t room = columns >= 1 && columns <= MOST_CANDIDATES ? columns : 0; /* more is refused */
    int64_t *group_size = (int64_t *)R_alloc((size_t)draws + 1, sizeof *group_size);
    int32_t *chosen = (int32_t *)R_alloc((size_t)(draws * room) + 1, sizeof *chosen);
    int32_t *counts = (int32_t *)R_alloc((size_t)(draws * room) + 1, sizeof *counts);
    if (!error.status)
        habitus_tasks(user.held, item.held, user.rows, cell.rows, size, cell.held, wanted.held, history.held, draws,
                      history.columns, (int64_t)given[0], seeds(study, draws, &error), offered.held, offered.rows,
                      (int64_t)given[1], columns, (int)given[3], group_size, chosen, counts, &error);
    if (error.status) return habitus_r_failure(&error, 0);
    SEXP out = PROTECT(habitus_r_list(3, names));
    SET_VECTOR_ELT(out, 0, Rf_allocVector(INTSXP, draws));
    SET_VECTOR_ELT(out, 1, Rf_allocMatrix(INTSXP, (int)draws, (int)columns));
    SET_VECTOR_ELT(out, 2, Rf_allocMatrix(INTSXP, (int)draws, (int)columns));
    for (int64_t i = 0; i < draws; i++) INTEGER(VECTOR_ELT(out, 0))[i] = (int)group_size[i];
    items_of_r(VECTOR_ELT(out, 1), chosen, draws, columns);
    counts_of_r(VECTOR_ELT(out, 2), counts, draws, columns);
    UNPROTECT(1);
    return out;
}
