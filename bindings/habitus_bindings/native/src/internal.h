/* What the sources of libhabitus share. Kernels trust their caller: all checks are made here, in C. */
#ifndef HABITUS_INTERNAL_H
#define HABITUS_INTERNAL_H

#include <stdint.h>
#include <stdlib.h>

#include "habitus.h"
#include "kernels.h"

/* Arrays as Numba passes them: no owner, no parent, items, bytes of an item, data, shape, strides. */
#define VECTOR(p, n) 0, 0, (int64_t)(n), (int64_t)sizeof *(p), (p), (int64_t)(n), (int64_t)sizeof *(p)
#define MATRIX(p, m, n) \
    0, 0, (int64_t)(m) * (n), (int64_t)sizeof *(p), (p), (int64_t)(m), (int64_t)(n), \
        (int64_t)(n) * (int64_t)sizeof *(p), (int64_t)sizeof *(p)
#define CUBE(p, l, m, n) \
    0, 0, (int64_t)(l) * (m) * (n), (int64_t)sizeof *(p), (p), (int64_t)(l), (int64_t)(m), (int64_t)(n), \
        (int64_t)(m) * (n) * (int64_t)sizeof *(p), (int64_t)(n) * (int64_t)sizeof *(p), (int64_t)sizeof *(p)

/* What kernels return and never raise. */
typedef struct {
    int64_t returned;
    void *raised;
} answer;
#define ANSWER(a) &(a).returned, &(a).raised

/* The kernels of this processor; NULL if it is too old. Written once, while the library is loaded. */
extern const struct kernels *habitus_kernels;

/* A caller's matrix of integers (or, in entropy.c, of doubles). */
typedef struct {
    const char *name;
    const void *data;
    int type;
    int64_t rows, columns;
} matrix;

/* Which rankings are about a task: order[start[t]], ..., order[start[t + 1] - 1]. */
typedef struct {
    int64_t *start, *order;
} assignment;

typedef struct {
    const struct kernels *kernels;
    matrix counts; /* data is NULL in the general form, */
    const double *weights, *values; /* which has these */
    matrix lists;
    const int64_t *task;
    double alpha;
    int fill;
    double *entropy, *chance, *worst, *cross_entropy;
    int32_t *valid;
    habitus_error *error;
} request;

/* checks.c: each returns a status, and says in error what was wrong. */
int habitus_fail(habitus_error *error, int status, int64_t row, int64_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int habitus_succeed(habitus_error *error);
int habitus_no_memory(habitus_error *error);
int habitus_check_cpu(habitus_error *error);
int habitus_check_matrix(const matrix *m, int reals, habitus_error *error);
int habitus_check_pointer(const char *name, const void *pointer, int64_t items, habitus_error *error);
int habitus_check_alpha(double *alpha, double otherwise, int64_t candidates, int zero, habitus_error *error);
int habitus_check_points(const char *name, const double *values, int64_t size, habitus_error *error);
int habitus_check_tasks(const int64_t *task, int64_t lists, int64_t tasks, habitus_error *error);
/* Row `row` as doubles, each checked. */
int habitus_counts_row(const matrix *m, int64_t row, double *out, habitus_error *error);
int habitus_distribution_row(const char *name, const double *from, int64_t row, int64_t columns, int positive,
                             habitus_error *error);
int64_t habitus_item(const matrix *m, int64_t place);
int64_t habitus_width(int type);

/* Memory that begins with a cache line: vectors that straddle two are half as fast. NULL if there is none. */
void *habitus_aligned(int64_t count, int64_t size);

/* lanes.c: 32 or 16 tasks at a time. */
int habitus_score_lanes(const request *r, const assignment *by_task);

/* rest.c: one task after the other; counts no lane holds, more than 4096 candidates, real numbers, and whatever is
 * faulty. */
typedef struct {
    const request *request;
    double *weights, *values, *weight, *surprisal, *expected, *scored;
    int64_t *lists, *mark, *task, *numbers;
    int32_t *places, *rank, *valid;
} rest;
int habitus_rest_begin(rest *scratch, const request *r);
void habitus_rest_end(rest *scratch);
/* Scores of a task, if `own`, and of those of its rankings whose valid is below 0. */
int habitus_rest_task(rest *scratch, int64_t task, int own, const int64_t *rankings, int64_t size);

#endif
