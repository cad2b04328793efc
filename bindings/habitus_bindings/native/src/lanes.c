/* 32 tasks at a time, 16 where a count needs more than 16 bits, as lanes.py does with kernels/lanes.py. */

#include <string.h>

#include "internal.h"

enum {
    ROUNDS = 16,     /* rankings of its task that a lane scores, so that one task with very many fills many lanes */
    TABLE = 1 << 15, /* counts that a lane of 16 bits can hold */
    CELLS = 1 << 19, /* candidates in a call of the kernel */
    SMALL = 1 << 17, /* counts that are looked through for the largest, so that its table is no longer than needed */
    NARROW = 32,
    WIDE = 16
};

static const int64_t OWN[] = {10, 20, 50, 100, 0};

const int64_t *habitus_candidates(void) { return OWN; }

/* Lane j scores rankings order[first[j]], ..., order[first[j + 1] - 1] of task[j]. */
typedef struct {
    int64_t lanes, *task, *first, *order;
} chunk;

typedef struct {
    const request *request;
    int64_t K, N, room, reals, comparators;
    double *logs, *share;
    int64_t *start, *slot, *network;
    chunk all, left;
    uint8_t *scored; /* (tasks,) */
    int16_t *narrow[5];
    int32_t *wide[5];
    double *sums[3];
    int64_t *rows, *listed;
} scorer;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t block(int64_t K, int64_t lanes) { return (K / lanes + 2) * lanes * lanes; }

#define LARGEST(type) \
    for (int64_t i = 0; i < size; i++) { \
        int64_t n = ((const type *)counts->data)[i]; \
        most = n > most ? n : most; \
    }

static int64_t largest(const matrix *counts) {
    int64_t most = 0, size = counts->rows * counts->columns;
    if (size > SMALL) return TABLE - 1;
    switch (counts->type) {
        case HABITUS_INT8: LARGEST(int8_t); break;
        case HABITUS_INT16: LARGEST(int16_t); break;
        case HABITUS_INT32: LARGEST(int32_t); break;
        default: LARGEST(int64_t);
    }
    return least(most, TABLE - 1);
}

static void end(scorer *s) {
    void *held[] = {s->logs,       s->share,     s->start,      s->slot,       s->network,  s->all.task, s->all.first,
                    s->all.order,  s->left.task, s->left.first, s->left.order, s->scored,   s->rows,     s->listed};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) free(held[i]);
    for (int i = 0; i < 5; i++) {
        free(s->narrow[i]);
        free(s->wide[i]);
    }
    for (int i = 0; i < 3; i++) free(s->sums[i]);
}

static int allocate_chunk(chunk *c, int64_t room) {
    c->task = habitus_aligned(room, 8);
    c->first = habitus_aligned(room + 1, 8);
    c->order = habitus_aligned(ROUNDS * room, 8);
    return c->task && c->first && c->order;
}

/* Whether there was memory for everything; what was had is freed by end(). */
static int allocate(scorer *s) {
    int64_t pairs = (s->K + 1) / 2, tasks = s->request->counts.rows;
    int good = allocate_chunk(&s->all, s->room) && allocate_chunk(&s->left, s->room) &&
               (s->logs = habitus_aligned(TABLE, 8)) && (s->start = habitus_aligned(pairs + 1, 8)) &&
               (s->slot = habitus_aligned(pairs, 8)) && (s->scored = habitus_aligned(tasks, 1)) &&
               (s->rows = habitus_aligned(NARROW, 8)) && (s->listed = habitus_aligned(NARROW, 8));
    for (int i = 0; i < 5; i++)
        good = good && (s->narrow[i] = habitus_aligned(block(s->K, NARROW), 2)) &&
               (s->wide[i] = habitus_aligned(block(s->K, WIDE), 4));
    for (int i = 0; i < 3; i++) good = good && (s->sums[i] = habitus_aligned(s->reals, 8));
    return good;
}

/* The tables that depend on K, N and alpha alone. */
static int begin(scorer *s, const request *r) {
    int64_t K = r->counts.columns, pairs = (K + 1) / 2, tasks = r->counts.rows, lists = r->lists.rows;
    answer a;
    memset(s, 0, sizeof *s);
    s->request = r;
    s->K = K;
    s->N = r->lists.columns;
    s->room = least(CELLS / K, tasks + lists / ROUNDS + 1);
    s->reals = block(K, NARROW);
    if (!allocate(s)) return 0;
    r->kernels->logarithms(ANSWER(a), r->alpha, r->alpha, VECTOR(s->logs, largest(&r->counts) + 1));
    r->kernels->band_rows(ANSWER(a), K, s->N, VECTOR(s->start, pairs + 1), VECTOR(s->slot, pairs));
    if (!(s->share = habitus_aligned(2 * s->start[pairs], 8))) return 0;
    memset(s->share, 0, (size_t)(2 * s->start[pairs]) * sizeof(double));
    r->kernels->band(ANSWER(a), K, s->N, VECTOR(s->start, pairs + 1), VECTOR(s->slot, pairs),
                     VECTOR(s->share, 2 * s->start[pairs]));
    r->kernels->network(ANSWER(a), K, VECTOR(s->network, 0));
    s->comparators = a.returned;
    if (!(s->network = habitus_aligned(2 * s->comparators, 8))) return 0;
    r->kernels->network(ANSWER(a), K, VECTOR(s->network, 2 * s->comparators));
    return 1;
}

/* What every kernel of lanes is given. The table of the logarithms of sums is empty: they are computed, to the same
 * bits. `left` becomes how many tasks and rankings have no score. */
#define CALL(kernel, c, networks, blocks, cells) \
    kernel(ANSWER(a), VECTOR((const uint8_t *)r->counts.data, r->counts.rows * s->K * width), width, s->K, \
           VECTOR((const uint8_t *)r->lists.data, r->lists.rows * s->N * list_width), list_width, 1, s->N, \
           VECTOR((c)->task, (c)->lanes), VECTOR((c)->first, (c)->lanes + 1), VECTOR((c)->order, (c)->first[(c)->lanes]), \
           VECTOR(s->logs, TABLE), VECTOR(s->logs, 0), r->alpha, \
           VECTOR(s->share, 2 * s->start[pairs]), VECTOR(s->start, pairs + 1), VECTOR(s->slot, pairs), \
           VECTOR(s->network, 2 * (networks)), r->fill, \
           VECTOR(blocks[0], cells), VECTOR(blocks[1], cells), VECTOR(blocks[2], cells), VECTOR(blocks[3], cells), \
           VECTOR(blocks[4], cells), VECTOR(s->sums[0], s->reals), VECTOR(s->sums[1], s->reals), \
           VECTOR(s->sums[2], s->reals), VECTOR(s->rows, NARROW), VECTOR(s->listed, NARROW), \
           VECTOR(s->scored, r->counts.rows), VECTOR(r->entropy, r->counts.rows), VECTOR(r->chance, r->counts.rows), \
           VECTOR(r->worst, r->counts.rows), VECTOR(r->cross_entropy, r->lists.rows), VECTOR(r->valid, r->lists.rows), \
           VECTOR(&left, 1))

static int64_t narrow(scorer *s) {
    const request *r = s->request;
    const struct kernels *k = r->kernels;
    int64_t left = 0, pairs = (s->K + 1) / 2;
    int64_t width = habitus_width(r->counts.type), list_width = habitus_width(r->lists.type);
    answer a;
    switch (s->K) {
        case 10: CALL(k->lanes_10, &s->all, 0, s->narrow, block(s->K, NARROW)); break;
        case 20: CALL(k->lanes_20, &s->all, 0, s->narrow, block(s->K, NARROW)); break;
        case 50: CALL(k->lanes_50, &s->all, 0, s->narrow, block(s->K, NARROW)); break;
        case 100: CALL(k->lanes_100, &s->all, 0, s->narrow, block(s->K, NARROW)); break;
        default: CALL(k->lanes_any, &s->all, s->comparators, s->narrow, block(s->K, NARROW));
    }
    return left;
}

/* The lanes whose task does not fit into 16 bits. */
static void wide(scorer *s) {
    const request *r = s->request;
    int64_t left = 0, pairs = (s->K + 1) / 2, n = 0;
    int64_t width = habitus_width(r->counts.type), list_width = habitus_width(r->lists.type);
    answer a;
    s->left.lanes = s->left.first[0] = 0;
    for (int64_t j = 0; j < s->all.lanes; j++) {
        if (s->scored[s->all.task[j]]) continue;
        for (int64_t i = s->all.first[j]; i < s->all.first[j + 1]; i++) s->left.order[n++] = s->all.order[i];
        s->left.task[s->left.lanes++] = s->all.task[j];
        s->left.first[s->left.lanes] = n;
    }
    if (s->left.lanes) CALL(r->kernels->lanes_wide, &s->left, s->comparators, s->wide, block(s->K, WIDE));
}

/* What no lane holds, and whatever is faulty. */
static int leftovers(scorer *s, rest *scratch) {
    const request *r = s->request;
    for (int64_t j = 0; j < s->all.lanes; j++) {
        int64_t first = s->all.first[j], size = s->all.first[j + 1] - first, task = s->all.task[j];
        int missing = !s->scored[task];
        for (int64_t i = 0; i < size; i++) missing |= r->valid[s->all.order[first + i]] < 0;
        if (!missing) continue;
        int status = habitus_rest_task(scratch, task, !s->scored[task], s->all.order + first, size);
        if (status) return status;
    }
    return HABITUS_OK;
}

/* The next lanes, where each task has its one ranking. */
static void gather_in_order(scorer *s, int64_t *task) {
    chunk *c = &s->all;
    c->lanes = least(s->room, s->request->counts.rows - *task);
    for (int64_t j = 0; j < c->lanes; j++) {
        c->task[j] = c->order[j] = *task + j;
        c->first[j] = j;
    }
    c->first[c->lanes] = c->lanes;
    *task += c->lanes;
}

/* The next lanes, from the task and the ranking that it has come to. */
static void gather(scorer *s, const assignment *by_task, int64_t *task, int64_t *ranking) {
    int64_t n = 0, tasks = s->request->counts.rows;
    chunk *c = &s->all;
    for (c->lanes = c->first[0] = 0; *task < tasks && c->lanes < s->room;) {
        int64_t stop = by_task->start[*task + 1];
        for (int64_t i = 0; i < ROUNDS && *ranking < stop; i++, (*ranking)++)
            c->order[n++] = by_task->order ? by_task->order[*ranking] : *ranking;
        c->task[c->lanes++] = *task;
        c->first[c->lanes] = n;
        *task += *ranking == stop;
    }
}

int habitus_score_lanes(const request *r, const assignment *by_task) {
    scorer s;
    rest scratch;
    int64_t task = 0, ranking = 0;
    int status = habitus_rest_begin(&scratch, r);
    if (status) return status;
    if (!begin(&s, r)) status = habitus_no_memory(r->error);
    while (!status && task < r->counts.rows) {
        if (by_task->start)
            gather(&s, by_task, &task, &ranking);
        else
            gather_in_order(&s, &task);
        if (!narrow(&s)) continue;
        wide(&s);
        status = leftovers(&s, &scratch);
    }
    end(&s);
    habitus_rest_end(&scratch);
    return status;
}
