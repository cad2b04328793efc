/* habitus_entropy: the estimators of kernels/entropy.py, some rows at a time. */

#include <inttypes.h>
#include <math.h>

#include "internal.h"

enum { CELLS = 1 << 15 }; /* counts that are made doubles at once */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct {
    double *rows, *scratch; /* (n, K) and (2, K); James-Stein's target is in the first row of scratch */
} memory;

static void estimate(int estimator, double alpha, const memory *held, int64_t n, int64_t K, double *out) {
    const struct kernels *k = habitus_kernels;
    answer a;
    switch (estimator) {
        case HABITUS_PLUG_IN: k->plug_in(ANSWER(a), MATRIX(held->rows, n, K), alpha, VECTOR(out, n)); break;
        case HABITUS_MILLER_MADOW: k->miller_madow(ANSWER(a), MATRIX(held->rows, n, K), VECTOR(out, n)); break;
        case HABITUS_GRASSBERGER: k->grassberger(ANSWER(a), MATRIX(held->rows, n, K), VECTOR(out, n)); break;
        case HABITUS_CHAO_SHEN: k->chao_shen(ANSWER(a), MATRIX(held->rows, n, K), VECTOR(out, n)); break;
        case HABITUS_DIRICHLET: k->dirichlet(ANSWER(a), MATRIX(held->rows, n, K), alpha, VECTOR(out, n)); break;
        case HABITUS_JAMES_STEIN:
            for (int64_t t = 0; t < n; t++)
                k->james_stein(ANSWER(a), MATRIX(held->rows + t * K, 1, K), MATRIX(held->scratch, 1, K), VECTOR(out + t, 1));
            break;
        default:
            if (K == 1) {
                for (int64_t t = 0; t < n; t++) out[t] = 0;
                break;
            }
            for (int64_t t = 0; t < n; t++) qsort(held->rows + t * K, (size_t)K, sizeof(double), ascending);
            k->nsb(ANSWER(a), MATRIX(held->rows, n, K), MATRIX(held->scratch, 2, K), VECTOR(out, n));
    }
}

static int check(const matrix *counts, int estimator, double *alpha, const double *entropy, habitus_error *error) {
    int reals = estimator == HABITUS_DIRICHLET || estimator == HABITUS_NSB, status;
    if ((status = habitus_check_cpu(error))) return status;
    if (estimator < HABITUS_PLUG_IN || estimator > HABITUS_NSB)
        return habitus_fail(error, HABITUS_BAD_ARGUMENT, -1, -1, "estimator: expected one of HABITUS_PLUG_IN to HABITUS_NSB, "
                            "got %d", estimator);
    if ((status = habitus_check_matrix(counts, reals, error))) return status;
    if ((status = habitus_check_pointer("entropy", entropy, counts->rows, error))) return status;
    if (estimator == HABITUS_PLUG_IN) return habitus_check_alpha(alpha, 1.0 / (double)counts->columns, counts->columns, 1, error);
    if (estimator == HABITUS_DIRICHLET) return habitus_check_alpha(alpha, 0.5, counts->columns, 0, error);
    return HABITUS_OK;
}

int habitus_entropy(const void *counts, int counts_type, int64_t tasks, int64_t candidates, int estimator, double alpha,
                    double *entropy, habitus_error *error) {
    matrix m = {"counts", counts, counts_type, tasks, candidates};
    int status = check(&m, estimator, &alpha, entropy, error);
    if (status) return status;
    int64_t K = candidates, step = CELLS / K > 1 ? CELLS / K : 1;
    memory held = {habitus_aligned(step * K, sizeof(double)), habitus_aligned(2 * K, sizeof(double))};
    if (!held.rows || !held.scratch) status = habitus_no_memory(error);
    for (int64_t i = 0; !status && i < K; i++) held.scratch[i] = 1.0 / (double)K;
    for (int64_t first = 0; !status && first < tasks; first += step) {
        int64_t n = tasks - first < step ? tasks - first : step;
        for (int64_t t = 0; !status && t < n; t++) status = habitus_counts_row(&m, first + t, held.rows + t * K, error);
        if (!status) estimate(estimator, alpha, &held, n, K, entropy + first);
        for (int64_t t = first; !status && t < first + n; t++)
            if (!isfinite(entropy[t]))
                status = habitus_fail(error, HABITUS_BAD_VALUE, t, -1, "counts: expected smaller ones, those of task %" PRId64
                                      " are too large for this estimator", t);
    }
    free(held.rows);
    free(held.scratch);
    return status ? status : habitus_succeed(error);
}
