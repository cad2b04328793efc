/* Scores of rankings, and skill. */

#include <math.h>
#include <stdio.h>

#include "package.h"

typedef struct {
    matrix weights, values, rankings; /* values: held-out targets, or nothing where weights are counts */
    int against_values, fill;
    double alpha;
    const int64_t *task;
    double *entropy, *chance, *worst, *cross_entropy;
    int *valid;
} request;

/* R's tasks, 1, 2, ..., as 0, 1, ...; NULL where none are given. */
static const int64_t *zero_based(SEXP task, int64_t tasks, habitus_error *error) {
    if (Rf_isNull(task)) return NULL;
    int64_t rows = XLENGTH(task), *out = (int64_t *)R_alloc((size_t)rows + 1, sizeof *out);
    const double *given = REAL(task);
    for (int64_t s = 0; s < rows; s++) {
        if (given[s] >= 1 && given[s] <= (double)tasks && given[s] == trunc(given[s])) {
            out[s] = (int64_t)given[s] - 1;
            continue;
        }
        char came[32] = "NA";
        if (!ISNAN(given[s])) snprintf(came, sizeof came, "%.15g", given[s]);
        error->status = HABITUS_BAD_INDEX;
        error->row = s;
        snprintf(error->message, sizeof error->message,
                 "task: expected whole numbers from 1 to %lld, got %s for ranking %lld", (long long)tasks, came,
                 (long long)s);
        return NULL;
    }
    return out;
}

/* `tasks` tasks and `lists` rankings from `first` on. */
static int piece(request *r, int64_t first, int64_t tasks, int64_t lists, habitus_error *error) {
    int64_t K = r->weights.columns, N = r->rankings.columns;
    double *entropy = r->entropy + first, *chance = r->chance + first, *worst = r->worst + first;
    int status;
    if ((status = habitus_r_rows(&r->weights, first, tasks, error)) ||
        (status = habitus_r_rows(&r->rankings, first, lists, error)))
        return status;
    if (!r->against_values)
        return habitus_score(r->weights.held, r->weights.type, tasks, K, r->rankings.held, r->rankings.type, lists, N,
                             r->task, r->alpha, r->fill, entropy, chance, worst, r->cross_entropy + first,
                             r->valid + first, error);
    if ((status = habitus_r_rows(&r->values, first, tasks, error))) return status;
    return habitus_score_values(r->weights.held, r->values.held, tasks, K, r->rankings.held, r->rankings.type, lists, N,
                                r->task, r->fill, entropy, chance, worst, r->cross_entropy + first, r->valid + first,
                                error);
}

static SEXP outputs(request *r, int64_t tasks, int64_t lists) {
    static const char *const names[] = {"entropy", "chance", "worst", "cross_entropy", "valid"};
    SEXP out = PROTECT(habitus_r_list(5, names));
    r->entropy = REAL(habitus_r_numbers(out, 0, tasks));
    r->chance = REAL(habitus_r_numbers(out, 1, tasks));
    r->worst = REAL(habitus_r_numbers(out, 2, tasks));
    r->cross_entropy = REAL(habitus_r_numbers(out, 3, lists));
    SET_VECTOR_ELT(out, 4, Rf_allocVector(INTSXP, lists));
    r->valid = INTEGER(VECTOR_ELT(out, 4));
    UNPROTECT(1);
    return out;
}

/* values is NULL where weights are counts. One ranking per task is scored in pieces, which stay in the cache. */
SEXP habitus_r_score(SEXP weights, SEXP values, SEXP rankings, SEXP task, SEXP alpha, SEXP fill) {
    request r = {.against_values = !Rf_isNull(values), .alpha = Rf_asReal(alpha), .fill = Rf_asInteger(fill)};
    habitus_error error = {.row = -1, .column = -1};
    r.weights = r.against_values ? habitus_r_matrix("weights", weights, REALS, 0)
                                 : habitus_r_matrix("counts", weights, COUNTS, 0);
    r.rankings = habitus_r_matrix("rankings", rankings, RANKINGS, r.weights.columns);
    int64_t tasks = r.weights.rows, lists = r.rankings.rows, step = habitus_r_piece(r.weights.columns), first = 0;
    r.task = zero_based(task, tasks, &error);
    if (error.status) return habitus_r_failure(&error, 0);
    int whole = r.task || tasks != lists || step > tasks;
    if (whole) step = tasks;
    habitus_r_hold(&r.weights, step);
    habitus_r_hold(&r.rankings, whole ? lists : step);
    if (r.against_values) {
        r.values = habitus_r_matrix("values", values, REALS, 0);
        habitus_r_hold(&r.values, step);
    }
    SEXP out = PROTECT(outputs(&r, tasks, lists));
    int status = HABITUS_OK;
    do {
        int64_t size = tasks - first < step ? tasks - first : step;
        if ((status = piece(&r, first, size, whole ? lists : size, &error))) break;
        R_CheckUserInterrupt();
        first += step;
    } while (first < tasks);
    SEXP answer = status ? habitus_r_failure(&error, first) : out;
    UNPROTECT(1);
    return answer;
}

SEXP habitus_r_skill(SEXP entropy, SEXP chance, SEXP reference, SEXP cross_entropy, SEXP task, SEXP min_gap) {
    static const char *const names[] = {"value", "tasks", "excluded"};
    habitus_error error = {.row = -1, .column = -1};
    int64_t tasks = XLENGTH(entropy), scored, excluded;
    double value;
    const int64_t *of = zero_based(task, tasks, &error);
    if (error.status ||
        habitus_skill(REAL(entropy), REAL(chance), REAL(reference), tasks, REAL(cross_entropy),
                      XLENGTH(cross_entropy), of, Rf_asReal(min_gap), &value, &scored, &excluded, &error))
        return habitus_r_failure(&error, 0);
    SEXP out = PROTECT(habitus_r_list(3, names));
    SET_VECTOR_ELT(out, 0, Rf_ScalarReal(value));
    SET_VECTOR_ELT(out, 1, Rf_ScalarReal((double)scored));
    SET_VECTOR_ELT(out, 2, Rf_ScalarReal((double)excluded));
    UNPROTECT(1);
    return out;
}
