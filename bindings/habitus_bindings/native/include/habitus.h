/* libhabitus: how well a model predicts what groups of people do, in plain C.
 *
 * All scores are in nats; divide by log(2) for bits. Matrices are row by row, without gaps. Every function checks what it
 * is given, writes its last arguments before `error`, and returns a status: HABITUS_OK, or what was wrong, said in `error`
 * (which may be NULL). On an error the contents of outputs are unspecified. Nothing is kept between calls: any number of
 * threads may call any function at once, on outputs of their own. The method: Saha & Choudhury (2025), arXiv 2507.05266.
 */
#ifndef HABITUS_H
#define HABITUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HABITUS_VERSION "0.1.0"

#if defined(__GNUC__)
#define HABITUS_API __attribute__((visibility("default")))
#else
#define HABITUS_API
#endif

typedef enum {
    HABITUS_OK = 0,
    HABITUS_BAD_SHAPE = 1,    /* a size is negative or zero where it may not be, or sizes do not fit each other */
    HABITUS_BAD_VALUE = 2,    /* a count < 0, a row of zeros, a number that is not finite, rows that do not sum to 1 */
    HABITUS_BAD_INDEX = 3,    /* a candidate or a task that does not exist, or a candidate listed twice */
    HABITUS_BAD_ARGUMENT = 4, /* alpha <= 0, an unknown fill, type or estimator, a null pointer */
    HABITUS_NO_MEMORY = 5,
    HABITUS_BAD_CPU = 6       /* an x86 processor older than x86-64-v2 (2009) */
} habitus_status;

/* What was wrong. row and column are -1 where none is to blame. */
typedef struct {
    int32_t status;
    int64_t row;
    int64_t column;
    char message[256]; /* UTF-8, ends with 0 */
} habitus_error;

/* Element types of counts and rankings. */
typedef enum {
    HABITUS_INT8 = 1,
    HABITUS_INT16 = 2,
    HABITUS_INT32 = 3,
    HABITUS_INT64 = 4,
    HABITUS_FLOAT64 = 5 /* counts of habitus_entropy alone, for HABITUS_DIRICHLET and HABITUS_NSB */
} habitus_type;

/* What empty slots of a ranking are given. */
typedef enum {
    HABITUS_CHANCE = 0,     /* the expectation over random candidates: an empty list scores exactly chance */
    HABITUS_OPTIMISTIC = 1, /* nothing: the list is shorter, an empty one scores as perfect */
    HABITUS_WORST = 2,      /* the least likely candidates */
    HABITUS_DROP = 3        /* the cross-entropy is NaN */
} habitus_fill;

typedef enum {
    HABITUS_PLUG_IN = 0,
    HABITUS_MILLER_MADOW = 1,
    HABITUS_GRASSBERGER = 2,
    HABITUS_CHAO_SHEN = 3,
    HABITUS_JAMES_STEIN = 4, /* towards 1/K each */
    HABITUS_DIRICHLET = 5,
    HABITUS_NSB = 6
} habitus_estimator;

/* Which items a task offers for ranking; a short part is filled from the others. */
typedef enum {
    HABITUS_HALF = 0,      /* half never interacted by the group, half interacted, both without the history */
    HABITUS_QUINTILES = 1, /* a fifth from each popularity fifth of the inventory, without the history */
    HABITUS_LITERAL = 2,   /* Algorithm 1 of the source as printed */
    HABITUS_INVENTORY = 3  /* half from all of the inventory, half interacted */
} habitus_rule;

/* How a curve ends. */
typedef enum {
    HABITUS_VALUE = 0,    /* it turns upwards for good, at turning_point */
    HABITUS_NONE = 1,     /* it never turns */
    HABITUS_CENSORED = 2, /* it still falls where the data end */
    HABITUS_UNDEFINED = 3 /* too few bins hold a point */
} habitus_outcome;

/* Score lists of candidates against how many users chose each candidate.
 *
 * p = (n + alpha) / (sum n + alpha K), sorted p_(1) >= ... >= p_(K). The r-th listed candidate is given p_(r), the others
 * p_(N+1)...p_(K) in their own order: H = -sum_i p_i log p_i, CE = -sum_i p_i log p_slot(i) >= H. Chance is the expected
 * CE of a random list of N, worst the largest CE.
 *
 * counts         tasks x candidates integers >= 0, at least one positive per row
 * rankings       lists x length candidates in [0, candidates), best first, -1 = empty slot; 1 <= length <= candidates
 * task           lists integers in [0, tasks), the task of each ranking; NULL: one ranking per task, in order. For scores
 *                of tasks alone: lists = 0, and any pointer but NULL
 * alpha          pseudo-count > 0; NAN: 1 / candidates
 * entropy, chance, worst   tasks numbers, written
 * cross_entropy  lists numbers, written
 * valid          lists numbers of listed candidates, written
 */
HABITUS_API int habitus_score(const void *counts, int counts_type, int64_t tasks, int64_t candidates,
                              const void *rankings, int rankings_type, int64_t lists, int64_t length,
                              const int64_t *task, double alpha, int fill,
                              double *entropy, double *chance, double *worst, double *cross_entropy, int32_t *valid,
                              habitus_error *error);

/* Score lists against real-valued or held-out targets: order and slots from values, expectation under weights.
 *
 * CE = -sum_i weight_i log value_slot(i). weights: tasks x candidates >= 0; values: tasks x candidates > 0; rows sum to 1
 * within 1e-9. The rest as in habitus_score.
 */
HABITUS_API int habitus_score_values(const double *weights, const double *values, int64_t tasks, int64_t candidates,
                                     const void *rankings, int rankings_type, int64_t lists, int64_t length,
                                     const int64_t *task, int fill,
                                     double *entropy, double *chance, double *worst, double *cross_entropy,
                                     int32_t *valid, habitus_error *error);

/* How far from chance towards perfect one model's lists are: 1 - sum(CE - H) / sum(reference - H).
 *
 * reference      tasks numbers: chance for skill, worst for bounded skill
 * min_gap        nats; tasks with chance - H below it are excluded; NAN: 0.02 bits
 * skill          one number, written: 1 perfect, 0 chance; NAN where no ranking is left
 * scored, excluded   one number each, written: how many rankings it is from, and how many it is not
 */
HABITUS_API int habitus_skill(const double *entropy, const double *chance, const double *reference, int64_t tasks,
                              const double *cross_entropy, int64_t lists, const int64_t *task, double min_gap,
                              double *skill, int64_t *scored, int64_t *excluded, habitus_error *error);

/* Entropy of each task. counts: as in habitus_score; alpha: of HABITUS_PLUG_IN (>= 0, NAN: 1 / candidates) and
 * HABITUS_DIRICHLET (> 0, NAN: 1/2), others ignore it. entropy: tasks numbers, written. Counts so large that an estimator
 * cannot be computed are HABITUS_BAD_VALUE (HABITUS_NSB: above 1e15, say). */
HABITUS_API int habitus_entropy(const void *counts, int counts_type, int64_t tasks, int64_t candidates, int estimator,
                                double alpha, double *entropy, habitus_error *error);

/* Mean y in bins of equal width over [low, high], both ends included; points outside and points with a NaN are left out.
 * low = NAN and high = NAN: the range of x where y is known. Bin b is in the middle at low + (b + 1/2) (high - low) / bins.
 * center, mean: bins numbers, written, NAN where a bin holds no point; count: bins numbers, written. */
HABITUS_API int habitus_bin_means(const double *x, const double *y, int64_t points, int64_t bins, double low, double high,
                                  double *center, double *mean, int64_t *count, habitus_error *error);

/* Means of complete windows: out[i] = mean of values[i], ..., values[i + window - 1]; max(0, size - window + 1) written. */
HABITUS_API int habitus_rolling_mean(const double *values, int64_t size, int64_t window, double *out,
                                     habitus_error *error);

/* The curve of one model: bins, rolling mean of `window` non-empty bins, least-squares polynomial of `degree` (1 to 15), the
 * local minimum of largest x.
 *
 * turning_point  one number, written: NAN unless *outcome is HABITUS_VALUE
 * outcome        one habitus_outcome, written
 * grid           `places` x, where the polynomial's value is written to `fitted` (NAN outside the data); NULL if places = 0
 */
HABITUS_API int habitus_curve(const double *entropy, const double *cross_entropy, int64_t points, int64_t bins,
                              int64_t window, int64_t degree, double low, double high, const double *grid, int64_t places,
                              double *turning_point, int *outcome, double *fitted, habitus_error *error);

/* Seeds of draws first, ..., first + size - 1 of a study whose seed is base. */
HABITUS_API int habitus_seeds(uint64_t base, uint64_t first, int64_t size, uint64_t *seeds, habitus_error *error);

/* Histories of distinct items of the inventory, each as likely as any; a shorter one with the same seed is a prefix of a
 * longer one. seeds: draws; inventory: inventory_size distinct items >= 0; histories: draws x length items, written. The
 * time grows with the square of the length. */
HABITUS_API int habitus_histories(const uint64_t *seeds, int64_t draws, const int32_t *inventory, int64_t inventory_size,
                                  int64_t length, int32_t *histories, habitus_error *error);

/* Draw tasks from a log: the group of each draw, candidates for it to rank, and how many of the group chose each.
 *
 * users, items   pairs distinct pairs: users[i] in [0, user_count) chose items[i] in [0, item_count)
 * cell_of_user   user_count cells (demographies), -1 = none
 * cells          draws cells >= 0: a group's users are those of its cell
 * histories      draws x history_length items, distinct in a row (history_length from 0 to 255): ... who chose at least
 * needed         of them; from 1 to history_length, 0 if that is 0
 * seeds          draws; the same seed draws the same task, whatever is drawn beside it
 * inventory      inventory_size distinct items that may be candidates
 * min_users      no candidates are drawn for a smaller group
 * candidates     how many per task, from 1 to 32767; rule: a habitus_rule
 * group_size     draws numbers of users, written
 * chosen, counts draws x candidates items and numbers of users of the group, written; a row is -1 and 0 where the group
 *                is too small or so many candidates are not to be found: these are no tasks
 */
HABITUS_API int habitus_tasks(const int32_t *users, const int32_t *items, int64_t pairs, int64_t user_count,
                              int64_t item_count, const int32_t *cell_of_user, const int32_t *cells,
                              const int32_t *histories, int64_t draws, int64_t history_length, int64_t needed,
                              const uint64_t *seeds, const int32_t *inventory, int64_t inventory_size, int64_t min_users,
                              int64_t candidates, int rule, int64_t *group_size, int32_t *chosen, int32_t *counts,
                              habitus_error *error);

/* "x86-64-v2", "x86-64-v3", "x86-64-v4": what this processor is given, chosen when the library is loaded. "generic" on
 * other processors, "none" on an x86 processor older than x86-64-v2. */
HABITUS_API const char *habitus_variant(void);

/* HABITUS_VERSION when the library was built. */
HABITUS_API const char *habitus_version(void);

/* The numbers of candidates that have a kernel of their own, ascending, ended by 0. Any other number is scored too: up to
 * 4096 by a vector kernel for any number, above by plain loops. */
HABITUS_API const int64_t *habitus_candidates(void);

#ifdef __cplusplus
}
#endif

#endif
