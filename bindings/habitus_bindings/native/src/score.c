/* habitus_score, habitus_score_values and habitus_skill: arguments are checked and rankings brought to their tasks. */

#include <inttypes.h>
#include <math.h>

#include "internal.h"

enum { MOST_CANDIDATES = 4096 }; /* in lanes, whose band grows with K N */

static int check(request *r, habitus_error *error) {
    int64_t tasks = r->counts.rows, rows = r->lists.rows;
    int status;
    if ((status = habitus_check_cpu(error))) return status;
    if ((status = habitus_check_matrix(&r->lists, 0, error))) return status;
    if (r->lists.columns > r->counts.columns)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "rankings: expected lists of at most %" PRId64
                            " candidates, got %" PRId64 " slots", r->counts.columns, r->lists.columns);
    if (r->fill < HABITUS_CHANCE || r->fill > HABITUS_DROP)
        return habitus_fail(error, HABITUS_BAD_ARGUMENT, -1, -1, "fill: expected one of HABITUS_CHANCE, HABITUS_OPTIMISTIC, "
                            "HABITUS_WORST, HABITUS_DROP, got %d", r->fill);
    if ((status = habitus_check_pointer("entropy", r->entropy, tasks, error)) ||
        (status = habitus_check_pointer("chance", r->chance, tasks, error)) ||
        (status = habitus_check_pointer("worst", r->worst, tasks, error)) ||
        (status = habitus_check_pointer("cross_entropy", r->cross_entropy, rows, error)) ||
        (status = habitus_check_pointer("valid", r->valid, rows, error)))
        return status;
    return habitus_check_tasks(r->task, rows, tasks, error);
}

static int sorted(const int64_t *task, int64_t rows) {
    for (int64_t s = 1; s < rows; s++)
        if (task[s] < task[s - 1]) return 0;
    return 1;
}

/* Which rankings are about each task, in their own order. Lanes need no list of them where they are in order, nor anything
 * where each task has its one. */
static int assign(const request *r, int lanes, assignment *by_task) {
    int64_t tasks = r->counts.rows, rows = r->lists.rows;
    by_task->start = by_task->order = NULL;
    if (lanes && !r->task) return HABITUS_OK;
    int64_t *start = by_task->start = habitus_aligned(tasks + 2, sizeof *start);
    if (!start) return habitus_no_memory(r->error);
    for (int64_t t = 0; t < tasks + 2; t++) start[t] = 0;
    for (int64_t s = 0; s < rows; s++) start[(r->task ? r->task[s] : s) + 2]++;
    for (int64_t t = 2; t < tasks + 2; t++) start[t] += start[t - 1];
    if (lanes && sorted(r->task, rows)) {
        for (int64_t t = 0; t <= tasks; t++) start[t] = start[t + 1];
        return HABITUS_OK;
    }
    if (!(by_task->order = habitus_aligned(rows, sizeof *by_task->order))) return habitus_no_memory(r->error);
    for (int64_t s = 0; s < rows; s++) by_task->order[start[(r->task ? r->task[s] : s) + 1]++] = s;
    return HABITUS_OK;
}

static int one_by_one(const request *r, const assignment *by_task) {
    rest scratch;
    int status = habitus_rest_begin(&scratch, r);
    if (status) return status;
    for (int64_t s = 0; s < r->lists.rows; s++) r->valid[s] = -1; /* none has its scores yet */
    for (int64_t t = 0; !status && t < r->counts.rows; t++) {
        int64_t first = by_task->start[t];
        status = habitus_rest_task(&scratch, t, 1, by_task->order + first, by_task->start[t + 1] - first);
    }
    habitus_rest_end(&scratch);
    return status;
}

static int score(request *r) {
    assignment by_task;
    int status = check(r, r->error);
    if (status) return status;
    r->kernels = habitus_kernels;
    int lanes = r->counts.data && r->counts.columns <= MOST_CANDIDATES;
    status = assign(r, lanes, &by_task);
    if (!status) status = lanes ? habitus_score_lanes(r, &by_task) : one_by_one(r, &by_task);
    free(by_task.start);
    free(by_task.order);
    return status ? status : habitus_succeed(r->error);
}

int habitus_score(const void *counts, int counts_type, int64_t tasks, int64_t candidates, const void *rankings,
                  int rankings_type, int64_t lists, int64_t length, const int64_t *task, double alpha, int fill,
                  double *entropy, double *chance, double *worst, double *cross_entropy, int32_t *valid,
                  habitus_error *error) {
    request r = {.counts = {"counts", counts, counts_type, tasks, candidates},
                 .lists = {"rankings", rankings, rankings_type, lists, length},
                 .task = task, .alpha = alpha, .fill = fill, .entropy = entropy, .chance = chance, .worst = worst,
                 .cross_entropy = cross_entropy, .valid = valid, .error = error};
    int status = habitus_check_matrix(&r.counts, 0, error);
    if (!status) status = habitus_check_alpha(&r.alpha, 1.0 / (double)candidates, candidates, 0, error);
    return status ? status : score(&r);
}

int habitus_score_values(const double *weights, const double *values, int64_t tasks, int64_t candidates,
                         const void *rankings, int rankings_type, int64_t lists, int64_t length, const int64_t *task,
                         int fill, double *entropy, double *chance, double *worst, double *cross_entropy, int32_t *valid,
                         habitus_error *error) {
    request r = {.counts = {"weights", weights, HABITUS_FLOAT64, tasks, candidates},
                 .weights = weights, .values = values, .lists = {"rankings", rankings, rankings_type, lists, length},
                 .task = task, .fill = fill, .entropy = entropy, .chance = chance, .worst = worst,
                 .cross_entropy = cross_entropy, .valid = valid, .error = error};
    int status = habitus_check_matrix(&r.counts, 1, error);
    if (!status) status = habitus_check_pointer("values", values, tasks, error);
    r.counts.data = NULL;
    return status ? status : score(&r);
}

int habitus_skill(const double *entropy, const double *chance, const double *reference, int64_t tasks,
                  const double *cross_entropy, int64_t lists, const int64_t *task, double min_gap, double *skill,
                  int64_t *scored, int64_t *excluded, habitus_error *error) {
    int status;
    double sums[2];
    int64_t *numbers = NULL;
    answer a;
    if ((status = habitus_check_cpu(error)) || (status = habitus_check_tasks(task, lists, tasks, error))) return status;
    if ((status = habitus_check_points("entropy", entropy, tasks, error)) ||
        (status = habitus_check_points("chance", chance, tasks, error)) ||
        (status = habitus_check_points("reference", reference, tasks, error)) ||
        (status = habitus_check_points("cross_entropy", cross_entropy, lists, error)) ||
        (status = habitus_check_pointer("skill", skill, 1, error)) ||
        (status = habitus_check_pointer("scored", scored, 1, error)) ||
        (status = habitus_check_pointer("excluded", excluded, 1, error)))
        return status;
    if (!task) {
        if (!(numbers = habitus_aligned(lists, sizeof *numbers))) return habitus_no_memory(error);
        for (int64_t s = 0; s < lists; s++) numbers[s] = s;
    }
    const int64_t *of = task ? task : numbers;
    habitus_kernels->skill_sums(ANSWER(a), VECTOR(entropy, tasks), VECTOR(chance, tasks), VECTOR(reference, tasks),
                                VECTOR(cross_entropy, lists), VECTOR(of, lists),
                                isnan(min_gap) ? 0.02 * log(2.0) : min_gap, VECTOR(sums, 2));
    free(numbers);
    *scored = a.returned;
    *excluded = lists - a.returned;
    *skill = a.returned ? 1 - sums[0] / sums[1] : NAN;
    return habitus_succeed(error);
}
