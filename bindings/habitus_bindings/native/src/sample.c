/* habitus_seeds, habitus_histories and habitus_tasks: tasks drawn from a log, as sampling.py does with its kernels. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "internal.h"

enum {
    AT_ONCE = 1024,               /* draws */
    LEAST_ROOM = 1 << 16,         /* users of groups that are found together */
    WORDS_AT_ONCE = 512,          /* of a plane: 4 KiB, so that all planes stay in the first-level cache */
    LONGEST_HISTORY = 255,        /* known items are counted in bytes */
    MOST_CANDIDATES = INT16_MAX,
    BITS_PER_ENTRY = 512,         /* a log is held as bitmaps where one bit in so many is set */
    LEAST_PATIENCE = 32,          /* tries in a row that find nothing, before what is short is listed */
    ITEMS_PER_TRY = 128
};
static const int64_t BITMAP_BUDGET = 1 << 29;
static const double ENTRY_COST = 1.5;

/* What the functions of the header are given. */
typedef struct {
    const int32_t *users, *items, *cell_of_user, *cells, *histories, *inventory;
    const uint64_t *seeds;
    int64_t pairs, user_count, item_count, draws, h, needed, inventory_size, min_users, K;
    int rule;
    habitus_error *error;
} sample;

/* The log both ways, as lists and, where that is worth it, as bits; the inventory; scratch. */
typedef struct {
    int64_t *user_start, *item_start, *cursor, *fifth, *quota, *start, *filled, entries, user_words, item_words, bitmaps;
    int32_t *user_items, *item_users, *row_of_item, *inventory, *rank, *pool, *users, *known, *asked;
    uint64_t *of_user, *of_item, *offered, *planes, *group, *interacted, *seen, *taken;
    uint8_t *known_items;
    int16_t *slot;
    int64_t room, plane_words, plane_count;
} memory;

/* 64-bit words that hold a bit per number, in whole lines of the cache. */
static int64_t words(int64_t numbers) { return (numbers + 511) / 512 * 8; }

static int64_t greater(int64_t a, int64_t b) { return a > b ? a : b; }

int habitus_seeds(uint64_t base, uint64_t first, int64_t size, uint64_t *seeds, habitus_error *error) {
    if (size < 0 || size > INT64_MAX / 64)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "expected from 0 to 2^57 seeds, got %" PRId64, size);
    int status = habitus_check_pointer("seeds", seeds, size, error);
    if (status) return status;
    for (int64_t i = 0; i < size; i++) {
        uint64_t z = base + (first + (uint64_t)i + 1) * 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        seeds[i] = z ^ (z >> 31);
    }
    return habitus_succeed(error);
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A sorted copy; NULL if there is no memory. */
static int64_t *sorted(const int32_t *numbers, int64_t size) {
    int64_t *keys = habitus_aligned(size, sizeof *keys);
    if (!keys) return NULL;
    for (int64_t i = 0; i < size; i++) keys[i] = numbers[i];
    qsort(keys, (size_t)size, sizeof *keys, ascending);
    return keys;
}

static int distinct(const int64_t *keys, int64_t size, habitus_error *error) {
    for (int64_t i = 1; i < size; i++)
        if (keys[i] == keys[i - 1])
            return habitus_fail(error, HABITUS_BAD_VALUE, -1, -1, "inventory: expected distinct items, got %" PRId64 " twice",
                                keys[i]);
    return HABITUS_OK;
}

int habitus_histories(const uint64_t *seeds, int64_t draws, const int32_t *inventory, int64_t inventory_size,
                      int64_t length, int32_t *histories, habitus_error *error) {
    int status = habitus_check_cpu(error);
    int64_t none = 0;
    uint64_t state;
    answer a;
    if (status) return status;
    matrix out = {"histories", histories, HABITUS_INT32, length ? draws : 0, length > 0 ? length : 1};
    if ((status = habitus_check_matrix(&out, 0, error))) return status;
    if (length < 0 || length > inventory_size)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "expected a history of at most %" PRId64 " items (the "
                            "inventory), got %" PRId64, inventory_size, length);
    if ((status = habitus_check_pointer("seeds", seeds, draws, error)) ||
        (status = habitus_check_pointer("inventory", inventory, inventory_size, error)))
        return status;
    int64_t *keys = sorted(inventory, inventory_size);
    if (!keys) return habitus_no_memory(error);
    if (inventory_size && keys[0] < 0)
        status = habitus_fail(error, HABITUS_BAD_INDEX, -1, -1, "inventory: expected items >= 0, got %" PRId64, keys[0]);
    else /* a repeated item is drawn again: for ever, if there are no others */
        status = distinct(keys, inventory_size, error);
    free(keys);
    if (status) return status;
    if (length)
        habitus_kernels->histories(ANSWER(a), VECTOR(seeds, draws), VECTOR(inventory, inventory_size), VECTOR(&none, 0),
                                   VECTOR(&state, 1), MATRIX(histories, draws, length));
    return habitus_succeed(error);
}

static int check_numbers(const char *name, const int32_t *numbers, int64_t size, int64_t bound, habitus_error *error) {
    int status = habitus_check_pointer(name, numbers, size, error);
    for (int64_t i = 0; !status && i < size; i++)
        if (numbers[i] < 0 || numbers[i] >= bound)
            status = habitus_fail(error, HABITUS_BAD_INDEX, i, -1, "%s: expected numbers in [0, %" PRId64 "), got %" PRId32
                                  " at %" PRId64, name, bound, numbers[i], i);
    return status;
}

static int check_sizes(const sample *s) {
    if (s->pairs < 0 || s->user_count < 0 || s->item_count < 0 || s->draws < 0 || s->inventory_size < 0 || s->h < 0 ||
        s->pairs > INT32_MAX || s->user_count >= INT32_MAX || s->item_count >= INT32_MAX || s->inventory_size > INT32_MAX)
        return habitus_fail(s->error, HABITUS_BAD_SHAPE, -1, -1, "expected sizes from 0 to 2^31 - 1, got %" PRId64 " pairs of %"
                            PRId64 " users and %" PRId64 " items, %" PRId64 " offered, %" PRId64 " draws", s->pairs,
                            s->user_count, s->item_count, s->inventory_size, s->draws);
    if (s->h > LONGEST_HISTORY)
        return habitus_fail(s->error, HABITUS_BAD_SHAPE, -1, -1, "expected a history of at most %d items, got %" PRId64,
                            LONGEST_HISTORY, s->h);
    if (s->needed < (s->h > 0) || s->needed > s->h)
        return habitus_fail(s->error, HABITUS_BAD_ARGUMENT, -1, -1, "expected 1 <= needed <= %" PRId64 " items of the history, "
                            "got %" PRId64, s->h, s->needed);
    if (s->K < 1 || s->K > MOST_CANDIDATES || s->draws > INT64_MAX / 64 / s->K / (s->h + 1))
        return habitus_fail(s->error, HABITUS_BAD_SHAPE, -1, -1, "expected from 1 to %d candidates, got %" PRId64 " for %" PRId64
                            " draws", MOST_CANDIDATES, s->K, s->draws);
    if (s->rule < HABITUS_HALF || s->rule > HABITUS_INVENTORY)
        return habitus_fail(s->error, HABITUS_BAD_ARGUMENT, -1, -1, "rule: expected one of HABITUS_HALF, HABITUS_QUINTILES, "
                            "HABITUS_LITERAL, HABITUS_INVENTORY, got %d", s->rule);
    return HABITUS_OK;
}

/* Cells that exist, and histories of distinct items. */
static int check_draws(const sample *s) {
    int64_t *seen = habitus_aligned(s->item_count, sizeof *seen);
    int status = seen ? HABITUS_OK : habitus_no_memory(s->error);
    for (int64_t item = 0; seen && item < s->item_count; item++) seen[item] = -1;
    for (int64_t d = 0; !status && d < s->draws; d++) {
        if (s->cells[d] < 0)
            status = habitus_fail(s->error, HABITUS_BAD_INDEX, d, -1, "cells: expected numbers >= 0, got %" PRId32 " for draw %"
                                  PRId64, s->cells[d], d);
        for (int64_t j = 0; !status && j < s->h; j++) {
            int32_t item = s->histories[d * s->h + j];
            if (seen[item] == d)
                status = habitus_fail(s->error, HABITUS_BAD_VALUE, d, j, "history: expected distinct items, draw %" PRId64
                                      " has %" PRId32 " twice", d, item);
            seen[item] = d;
        }
    }
    free(seen);
    return status;
}

static int check(const sample *s) {
    int status;
    if ((status = habitus_check_cpu(s->error)) || (status = check_sizes(s)) ||
        (status = check_numbers("users", s->users, s->pairs, s->user_count, s->error)) ||
        (status = check_numbers("items", s->items, s->pairs, s->item_count, s->error)) ||
        (status = check_numbers("history", s->histories, s->draws * s->h, s->item_count, s->error)) ||
        (status = check_numbers("inventory", s->inventory, s->inventory_size, s->item_count, s->error)) ||
        (status = habitus_check_pointer("cell_of_user", s->cell_of_user, s->user_count, s->error)) ||
        (status = habitus_check_pointer("cells", s->cells, s->draws, s->error)))
        return status;
    if ((status = habitus_check_pointer("seeds", s->seeds, s->draws, s->error))) return status;
    return check_draws(s);
}

static void end(memory *m) {
    void *held[] = {m->user_start, m->item_start, m->cursor, m->fifth, m->quota, m->start, m->filled, m->user_items,
                    m->item_users, m->row_of_item, m->inventory, m->rank, m->pool, m->users, m->known, m->asked, m->of_user,
                    m->of_item, m->offered, m->planes, m->group, m->interacted, m->seen, m->taken, m->known_items, m->slot};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) free(held[i]);
}

static void *zeros(int64_t count, int64_t size) {
    void *memory = habitus_aligned(count, size);
    if (memory) memset(memory, 0, (size_t)(count * size));
    return memory;
}

/* Whether there was memory for everything; what was had is freed by end(). */
static int allocate(memory *m, const sample *s) {
    int64_t digits = 0, tasks = greater(1, s->draws < AT_ONCE ? s->draws : AT_ONCE);
    while (s->h >> digits) digits++;
    m->user_words = words(s->user_count);
    m->item_words = words(s->item_count);
    double cells = (double)s->user_count * (double)s->item_count;
    double bytes = 8 * ((double)s->user_count * (double)m->item_words + (double)s->item_count * (double)m->user_words);
    m->bitmaps = (double)s->pairs * BITS_PER_ENTRY >= cells && bytes <= (double)BITMAP_BUDGET;
    m->room = greater(s->user_count, LEAST_ROOM);
    m->plane_count = digits + 1;
    m->plane_words = m->user_words < WORDS_AT_ONCE ? greater(1, m->user_words) : WORDS_AT_ONCE;
    return (m->user_start = zeros(s->user_count + 1, 8)) && (m->item_start = zeros(s->item_count + 1, 8)) &&
           (m->cursor = zeros(s->h, 8)) && (m->fifth = zeros(6, 8)) && (m->quota = zeros(6, 8)) &&
           (m->start = zeros(tasks + 1, 8)) && (m->filled = zeros(tasks, 8)) && (m->user_items = zeros(s->pairs, 4)) &&
           (m->item_users = zeros(s->pairs, 4)) && (m->row_of_item = zeros(s->item_count, 4)) &&
           (m->inventory = zeros(s->inventory_size, 4)) && (m->rank = zeros(s->item_count, 4)) &&
           (m->pool = zeros(s->inventory_size, 4)) && (m->users = zeros(m->room, 4)) &&
           (m->known = zeros(tasks * s->K, 4)) && (m->asked = zeros(s->K, 4)) &&
           (m->of_user = zeros(m->bitmaps ? s->user_count * m->item_words : 0, 8)) &&
           (m->of_item = zeros(m->bitmaps ? s->item_count * m->user_words : 0, 8)) &&
           (m->offered = zeros(m->item_words, 8)) && (m->planes = zeros(m->plane_count * m->plane_words, 8)) &&
           (m->group = zeros(m->user_words, 8)) && (m->interacted = zeros(m->item_words, 8)) &&
           (m->seen = zeros(m->item_words, 8)) && (m->taken = zeros(m->item_words, 8)) &&
           (m->known_items = zeros(s->user_count, 1)) && (m->slot = zeros(s->item_count, 2));
}

/* The inventory in order and as bits, and for fifths the place of every item by popularity (ties: by number). */
static int offer(memory *m, const sample *s) {
    int64_t n = s->inventory_size, *keys = sorted(s->inventory, n);
    if (!keys) return habitus_no_memory(s->error);
    int status = distinct(keys, n, s->error);
    for (int64_t i = 0; i < n; i++) {
        m->inventory[i] = (int32_t)keys[i];
        m->offered[keys[i] >> 6] |= (uint64_t)1 << (keys[i] & 63);
    }
    for (int64_t item = 0; item < s->item_count; item++) m->rank[item] = -1;
    if (s->rule == HABITUS_QUINTILES) {
        for (int64_t i = 0; i < n; i++)
            keys[i] = (m->item_start[keys[i] + 1] - m->item_start[keys[i]]) << 31 | keys[i];
        qsort(keys, (size_t)n, sizeof *keys, ascending);
        for (int64_t i = 0; i < n; i++) m->rank[keys[i] & INT32_MAX] = (int32_t)i;
    }
    free(keys);
    return status;
}

static int build(memory *m, const sample *s) {
    const struct kernels *k = habitus_kernels;
    answer a;
    memset(m, 0, sizeof *m);
    if (!allocate(m, s)) return habitus_no_memory(s->error);
    k->index(ANSWER(a), VECTOR(s->users, s->pairs), VECTOR(s->items, s->pairs), VECTOR(m->user_start, s->user_count + 1),
             VECTOR(m->item_start, s->item_count + 1), VECTOR(m->user_items, s->pairs), VECTOR(m->item_users, s->pairs));
    k->repeated(ANSWER(a), VECTOR(m->user_start, s->user_count + 1), VECTOR(m->user_items, s->pairs));
    if (a.returned >= 0) {
        int64_t user = 0;
        while (m->user_start[user + 1] <= a.returned) user++;
        return habitus_fail(s->error, HABITUS_BAD_VALUE, user, m->user_items[a.returned], "expected distinct pairs, got user %"
                            PRId64 ", item %" PRId32 " twice", user, m->user_items[a.returned]);
    }
    for (int64_t item = 0; item < s->item_count; item++) {
        m->row_of_item[item] = m->bitmaps ? (int32_t)item : -1;
        m->slot[item] = -1;
    }
    if (m->bitmaps) {
        k->bitmap(ANSWER(a), VECTOR(m->user_start, s->user_count + 1), VECTOR(m->user_items, s->pairs),
                  MATRIX(m->of_user, s->user_count, m->item_words));
        k->bitmap(ANSWER(a), VECTOR(m->item_start, s->item_count + 1), VECTOR(m->item_users, s->pairs),
                  MATRIX(m->of_item, s->item_count, m->user_words));
    }
    return offer(m, s);
}

/* Users of draws first, ..., last - 1, as many as have room; returns how many groups that are. */
static int64_t find(memory *m, const sample *s, int64_t first, int64_t last) {
    int64_t size = last - first, rows = m->bitmaps ? s->item_count : 0;
    answer a;
    m->start[0] = 0;
    habitus_kernels->groups(
        ANSWER(a), MATRIX(m->of_item, rows, m->user_words), VECTOR(m->row_of_item, s->item_count),
        VECTOR(m->item_start, s->item_count + 1), VECTOR(m->item_users, s->pairs), VECTOR(s->cell_of_user, s->user_count),
        VECTOR(s->cells + first, size), MATRIX(s->histories + first * s->h, size, s->h), s->needed, (uint8_t)m->bitmaps,
        MATRIX(m->planes, m->plane_count, m->plane_words), VECTOR(m->cursor, s->h), VECTOR(m->known_items, s->user_count),
        VECTOR(m->start, size + 1), VECTOR(m->users, m->room));
    return a.returned;
}

/* Candidates of the groups that were found, and how many users chose each. */
static void draw(memory *m, const sample *s, int64_t first, int64_t size, int32_t *chosen, int32_t *counts) {
    const struct kernels *k = habitus_kernels;
    int64_t patience = s->inventory_size ? LEAST_PATIENCE + s->inventory_size / ITEMS_PER_TRY : 0, found = m->start[size];
    double asked = 2.0 * (double)s->K * (double)s->pairs / (double)greater(s->item_count, 1), half = (double)s->inventory_size / 2;
    uint8_t no_bits[1];
    uint64_t state;
    answer a;
    k->candidates(ANSWER(a), MATRIX(m->of_user, m->bitmaps ? s->user_count : 0, m->item_words),
                  VECTOR(m->user_start, s->user_count + 1), VECTOR(m->user_items, s->pairs),
                  VECTOR(m->item_start, s->item_count + 1), VECTOR(m->item_users, s->pairs), VECTOR(m->start, size + 1),
                  VECTOR(m->users, found), MATRIX(s->histories + first * s->h, size, s->h), VECTOR(s->seeds + first, size),
                  VECTOR(m->inventory, s->inventory_size), VECTOR(m->rank, s->item_count), VECTOR(m->offered, m->item_words),
                  s->rule, s->min_users, patience, ENTRY_COST, fmax(asked, half), VECTOR(m->fifth, 6), VECTOR(m->quota, 6),
                  VECTOR(m->group, m->user_words), VECTOR(m->interacted, m->item_words), VECTOR(m->seen, m->item_words),
                  VECTOR(m->taken, m->item_words), VECTOR(m->pool, s->inventory_size), MATRIX(chosen, size, s->K),
                  MATRIX(m->known, size, s->K), VECTOR(m->filled, size));
    for (int64_t cell = 0; cell < size * s->K; cell++)
        if (m->filled[cell / s->K] < s->K) {
            chosen[cell] = -1;
            m->known[cell] = 0;
        }
    k->shuffle(ANSWER(a), VECTOR(s->seeds + first, size), 0, VECTOR(&state, 1), MATRIX(chosen, size, s->K),
               MATRIX(m->known, size, s->K));
    memcpy(counts, m->known, (size_t)(size * s->K) * sizeof *counts);
    if (m->bitmaps)
        k->incidence_of_bitmaps(ANSWER(a), MATRIX(m->of_user, s->user_count, m->item_words),
                                MATRIX(m->of_item, s->item_count, m->user_words), VECTOR(m->start, size + 1),
                                VECTOR(m->users, found), MATRIX(chosen, size, s->K), VECTOR(m->asked, s->K),
                                VECTOR(m->group, m->user_words), MATRIX(counts, size, s->K), MATRIX(no_bits, 0, 0));
    else
        k->incidence_of_lists(ANSWER(a), VECTOR(m->user_start, s->user_count + 1), VECTOR(m->user_items, s->pairs),
                              VECTOR(m->item_start, s->item_count + 1), VECTOR(m->item_users, s->pairs), ENTRY_COST,
                              VECTOR(m->start, size + 1), VECTOR(m->users, found), MATRIX(chosen, size, s->K),
                              VECTOR(m->slot, s->item_count), VECTOR(m->group, m->user_words), MATRIX(counts, size, s->K),
                              MATRIX(no_bits, 0, 0));
}

int habitus_tasks(const int32_t *users, const int32_t *items, int64_t pairs, int64_t user_count, int64_t item_count,
                  const int32_t *cell_of_user, const int32_t *cells, const int32_t *histories, int64_t draws,
                  int64_t history_length, int64_t needed, const uint64_t *seeds, const int32_t *inventory,
                  int64_t inventory_size, int64_t min_users, int64_t candidates, int rule, int64_t *group_size,
                  int32_t *chosen, int32_t *counts, habitus_error *error) {
    sample s = {users, items, cell_of_user, cells, histories, inventory, seeds, pairs, user_count, item_count, draws,
                history_length, needed, inventory_size, min_users, candidates, rule, error};
    memory m;
    int status = check(&s);
    if (status) return status;
    if ((status = habitus_check_pointer("group_size", group_size, draws, error)) ||
        (status = habitus_check_pointer("chosen", chosen, draws, error)) ||
        (status = habitus_check_pointer("counts", counts, draws, error)))
        return status;
    status = build(&m, &s);
    for (int64_t first = 0; !status && first < draws;) {
        int64_t size = find(&m, &s, first, first + AT_ONCE < draws ? first + AT_ONCE : draws);
        draw(&m, &s, first, size, chosen + first * candidates, counts + first * candidates);
        for (int64_t d = 0; d < size; d++) group_size[first + d] = m.start[d + 1] - m.start[d];
        first += size;
    }
    end(&m);
    return status ? status : habitus_succeed(error);
}
