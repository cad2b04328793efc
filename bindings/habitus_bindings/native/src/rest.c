/* One task after the other, as scoring.py does with kernels/scoring.py; this is also what names a faulty row. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "internal.h"

enum { LISTS = 256 }; /* rankings of a task that are scored in one call */

int habitus_rest_begin(rest *s, const request *r) {
    int64_t K = r->counts.columns, N = r->lists.columns;
    memset(s, 0, sizeof *s);
    s->request = r;
    s->weights = habitus_aligned(K, sizeof(double));
    s->values = habitus_aligned(K, sizeof(double));
    s->weight = habitus_aligned(K, sizeof(double));
    s->surprisal = habitus_aligned(K, sizeof(double));
    s->expected = habitus_aligned(K, sizeof(double));
    s->mark = habitus_aligned(K, sizeof(int64_t));
    s->rank = habitus_aligned(K, sizeof(int32_t));
    s->places = habitus_aligned(2 * K, sizeof(int32_t));
    s->lists = habitus_aligned(LISTS * N, sizeof(int64_t));
    s->scored = habitus_aligned(LISTS, sizeof(double));
    s->task = habitus_aligned(LISTS, sizeof(int64_t));
    s->numbers = habitus_aligned(LISTS, sizeof(int64_t));
    s->valid = habitus_aligned(LISTS, sizeof(int32_t));
    if (s->weights && s->values && s->weight && s->surprisal && s->expected && s->mark && s->rank && s->places &&
        s->lists && s->scored && s->task && s->numbers && s->valid) {
        memset(s->task, 0, LISTS * sizeof(int64_t));
        return HABITUS_OK;
    }
    habitus_rest_end(s);
    return habitus_no_memory(r->error);
}

void habitus_rest_end(rest *s) {
    void *held[] = {s->weights, s->values, s->weight, s->surprisal, s->expected, s->scored, s->lists,
                    s->mark,    s->task,   s->numbers, s->places,   s->rank,     s->valid};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) free(held[i]);
}

/* The target of a task, checked, in sorted form. */
static int target(rest *s, int64_t task) {
    const request *r = s->request;
    int64_t K = r->counts.columns;
    const double *weights = s->values, *values = s->values;
    answer a;
    int status;
    if (r->counts.data) {
        if ((status = habitus_counts_row(&r->counts, task, s->weights, r->error))) return status;
        r->kernels->smooth(ANSWER(a), MATRIX(s->weights, 1, K), r->alpha, MATRIX(s->values, 1, K));
    } else {
        if ((status = habitus_distribution_row("weights", r->weights, task, K, 0, r->error))) return status;
        if ((status = habitus_distribution_row("values", r->values, task, K, 1, r->error))) return status;
        weights = r->weights + task * K;
        values = r->values + task * K;
    }
    r->kernels->targets(ANSWER(a), MATRIX(weights, 1, K), MATRIX(values, 1, K), MATRIX(s->places, 2, K),
                        MATRIX(s->rank, 1, K), MATRIX(s->weight, 1, K), MATRIX(s->surprisal, 1, K));
    return HABITUS_OK;
}

/* The first `size` lists of the scratch: does each hold what may be listed? */
static int inspect(rest *s, int64_t size) {
    const request *r = s->request;
    int64_t K = r->counts.columns, N = r->lists.columns, fault[2] = {-1, -1};
    answer a;
    r->kernels->inspect(ANSWER(a), MATRIX(s->lists, size, N), VECTOR(s->mark, K), VECTOR(fault, 2), VECTOR(s->valid, size));
    if (fault[0] < 0) return HABITUS_OK;
    const int64_t *row = s->lists + fault[0] * N;
    int64_t item = row[fault[1]], number = s->numbers[fault[0]];
    for (int64_t i = 0; i < fault[1]; i++)
        if (row[i] == item)
            return habitus_fail(r->error, HABITUS_BAD_INDEX, number, fault[1], "rankings: expected each candidate once, row "
                                "%" PRId64 " lists %" PRId64 " twice", number, item);
    return habitus_fail(r->error, HABITUS_BAD_INDEX, number, fault[1], "rankings: expected -1 or candidates in [0, %" PRId64
                        "), row %" PRId64 " holds %" PRId64, K, number, item);
}

/* Score the first `size` lists of the scratch. */
static int lists(rest *s, int64_t size) {
    const request *r = s->request;
    int64_t K = r->counts.columns, N = r->lists.columns;
    answer a;
    int status = inspect(s, size);
    if (status) return status;
    r->kernels->ranking_scores(ANSWER(a), MATRIX(s->rank, 1, K), MATRIX(s->weight, 1, K), MATRIX(s->surprisal, 1, K),
                               MATRIX(s->lists, size, N), VECTOR(s->task, size), r->fill, VECTOR(s->mark, K),
                               VECTOR(s->expected, K), VECTOR(s->scored, size));
    for (int64_t j = 0; j < size; j++) {
        int unknown = r->fill == HABITUS_DROP && s->valid[j] < N;
        r->cross_entropy[s->numbers[j]] = unknown ? NAN : s->scored[j];
        r->valid[s->numbers[j]] = s->valid[j];
    }
    return HABITUS_OK;
}

int habitus_rest_task(rest *s, int64_t task, int own, const int64_t *rankings, int64_t size) {
    const request *r = s->request;
    int64_t K = r->counts.columns, N = r->lists.columns, held = 0;
    answer a;
    int status = target(s, task);
    if (status) return status;
    if (own)
        r->kernels->task_scores(ANSWER(a), MATRIX(s->weight, 1, K), MATRIX(s->surprisal, 1, K), N, VECTOR(s->expected, K),
                                VECTOR(r->entropy + task, 1), VECTOR(r->chance + task, 1), VECTOR(r->worst + task, 1));
    for (int64_t j = 0; j < size; j++) {
        if (r->valid[rankings[j]] >= 0) continue;
        for (int64_t column = 0; column < N; column++)
            s->lists[held * N + column] = habitus_item(&r->lists, rankings[j] * N + column);
        s->numbers[held++] = rankings[j];
        if (held == LISTS) {
            if ((status = lists(s, held))) return status;
            held = 0;
        }
    }
    return held ? lists(s, held) : HABITUS_OK;
}
