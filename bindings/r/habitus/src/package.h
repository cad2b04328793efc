/* What the sources of the package share. Rows and candidates count from 0 here, from 1 in R (conditions.R). */
#ifndef HABITUS_PACKAGE_H
#define HABITUS_PACKAGE_H

#define R_NO_REMAP
#include <R.h>
#include <Rinternals.h>

#include "habitus.h"

/* What is read from a matrix of R: counts, rankings (numbers from 1, or NA) and numbers (from 1) become integers, reals
 * doubles. */
typedef enum { COUNTS, RANKINGS, NUMBERS, REALS } content;

/* A matrix of R, which lies column by column, and memory for some of its rows, row by row. */
typedef struct {
    const char *name;
    SEXP values;
    content content;
    int64_t rows, columns, candidates; /* candidates: the largest number that a ranking may name */
    int type;                          /* habitus_type of `held` */
    void *held;
} matrix;

/* matrix.c */
matrix habitus_r_matrix(const char *name, SEXP values, content content, int64_t candidates);
void habitus_r_hold(matrix *m, int64_t rows);
/* Rows first, ..., first + rows - 1 into `held`, each checked. */
int habitus_r_rows(matrix *m, int64_t first, int64_t rows, habitus_error *error);
/* How many rows are handed over at once. */
int64_t habitus_r_piece(int64_t columns);

/* results.c */
SEXP habitus_r_list(int size, const char *const *names);
SEXP habitus_r_numbers(SEXP list, int place, int64_t size);
SEXP habitus_r_failure(const habitus_error *error, int64_t first);

/* scores.c, entropy.c, curves.c, tasks.c: called from R. */
SEXP habitus_r_score(SEXP weights, SEXP values, SEXP rankings, SEXP task, SEXP alpha, SEXP fill);
SEXP habitus_r_skill(SEXP entropy, SEXP chance, SEXP reference, SEXP cross_entropy, SEXP task, SEXP min_gap);
SEXP habitus_r_entropy(SEXP counts, SEXP estimator, SEXP alpha);
SEXP habitus_r_bin_means(SEXP x, SEXP y, SEXP bins, SEXP support);
SEXP habitus_r_rolling_mean(SEXP values, SEXP window);
SEXP habitus_r_curve(SEXP entropy, SEXP cross_entropy, SEXP shape, SEXP support, SEXP grid);
SEXP habitus_r_histories(SEXP study, SEXP draws, SEXP inventory, SEXP length);
SEXP habitus_r_tasks(SEXP users, SEXP items, SEXP item_count, SEXP cell_of_user, SEXP cells, SEXP histories, SEXP study,
                     SEXP inventory, SEXP options);
SEXP habitus_r_info(void);

#endif
