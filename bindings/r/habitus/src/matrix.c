/* Matrices of R, column by column, as libhabitus reads them: row by row. */

#include <math.h>
#include <stdio.h>

#include "package.h"

enum {
    CELLS = 1 << 19, /* of a piece: 2^17 take a quarter longer, 2^18 and 2^20 a fifteenth */
    BLOCK = 128,     /* rows that are turned together: 16 take 2.2 times as long, 64 and 256 a tenth more */
    LINE = 64        /* bytes that come from memory together */
};

/* The least double beyond int64. */
static const double BEYOND = 9223372036854775808.0;

/* What an empty slot becomes; what is no candidate, and what is no count, which every number below 0 is too. */
enum { EMPTY_SLOT = -1, NO_CANDIDATE = -2, NO_COUNT = -1 };

int64_t habitus_r_piece(int64_t columns) { return columns < CELLS ? CELLS / columns : 1; }

matrix habitus_r_matrix(const char *name, SEXP values, content content, int64_t candidates) {
    matrix m = {name, values, content, Rf_nrows(values), Rf_ncols(values), candidates, HABITUS_INT32, NULL};
    if (content == REALS) m.type = HABITUS_FLOAT64;
    if (content == COUNTS && TYPEOF(values) == REALSXP) m.type = HABITUS_INT64;
    return m;
}

void habitus_r_hold(matrix *m, int64_t rows) {
    int64_t cells = rows * m->columns;
    m->held = R_alloc((size_t)(cells > 0 ? cells : 1), m->type == HABITUS_INT32 ? sizeof(int32_t) : sizeof(int64_t));
}

/* Casts tell whole numbers: trunc() is a call on processors before SSE 4.1, and takes three times as long. */
static int64_t count(double x) { return x >= 0 && x < BEYOND && (double)(int64_t)x == x ? (int64_t)x : NO_COUNT; }

static int32_t small_count(double x) {
    return x >= 0 && x <= INT32_MAX && (double)(int32_t)x == x ? (int32_t)x : NO_COUNT;
}

static int32_t candidate(int x, int64_t candidates) {
    if (x >= 1 && x <= candidates) return x - 1;
    return x == NA_INTEGER ? EMPTY_SLOT : NO_CANDIDATE;
}

static int32_t candidate_of_real(double x, int64_t candidates) {
    if (x >= 1 && x <= (double)candidates && (double)(int32_t)x == x) return (int32_t)x - 1;
    return isnan(x) ? EMPTY_SLOT : NO_CANDIDATE;
}

/* Columns are so far apart that the processor does not foresee the next block of one; asked for, it takes half as long. */
static void foresee(const void *next, size_t bytes) {
    for (size_t place = 0; place < bytes; place += LINE) __builtin_prefetch((const char *)next + place);
}

/* held[i, j] = y, the result of x = values[first + i, j]; then `check`. */
#define TURN(from, access, to, result, check)                           \
    do {                                                                \
        const from *values = access(m->values) + first;                 \
        to *held = m->held, below = 0;                                  \
        for (int64_t top = 0; top < rows; top += BLOCK) {               \
            int64_t size = rows - top < BLOCK ? rows - top : BLOCK;     \
            for (int64_t j = 0; j < columns; j++) {                     \
                const from *column = values + j * m->rows + top;        \
                to *out = held + top * columns + j;                     \
                if (first + top + 2 * BLOCK <= m->rows)                 \
                    foresee(column + BLOCK, BLOCK * sizeof *column);    \
                for (int64_t i = 0; i < size; i++) {                    \
                    from x = column[i];                                 \
                    to y = (result);                                    \
                    check;                                              \
                    *out = y;                                           \
                    out += columns;                                     \
                }                                                       \
            }                                                           \
        }                                                               \
        faulty = below < 0;                                             \
    } while (0)

/* The sign of `below`: whether a y was below the lowest that may stand there. Nothing else is as cheap. */
#define BELOW_ZERO below |= y
#define BELOW_EMPTY below |= y - EMPTY_SLOT

static void text(SEXP values, int64_t place, char *out, size_t size) {
    if (TYPEOF(values) == INTSXP && INTEGER(values)[place] != NA_INTEGER)
        snprintf(out, size, "%d", INTEGER(values)[place]);
    else if (TYPEOF(values) == REALSXP && !ISNAN(REAL(values)[place]))
        snprintf(out, size, "%.15g", REAL(values)[place]);
    else
        snprintf(out, size, "NA");
}

static int blame(const matrix *m, int64_t first, habitus_error *error) {
    int64_t place = 0, lowest = m->content == RANKINGS ? EMPTY_SLOT : 0;
    char came[32];
    while ((m->type == HABITUS_INT64 ? ((int64_t *)m->held)[place] : ((int32_t *)m->held)[place]) >= lowest) place++;
    error->row = place / m->columns;
    error->column = place % m->columns;
    text(m->values, first + error->row + error->column * m->rows, came, sizeof came);
    if (m->content == COUNTS) {
        error->status = HABITUS_BAD_VALUE;
        snprintf(error->message, sizeof error->message,
                 "%s: expected whole numbers >= 0, got %s for task %lld, candidate %lld", m->name, came,
                 (long long)error->row, (long long)error->column);
    } else {
        error->status = HABITUS_BAD_INDEX;
        snprintf(error->message, sizeof error->message,
                 "%s: expected %swhole numbers from 1 to %lld, row %lld holds %s", m->name,
                 m->content == RANKINGS ? "NA or " : "", (long long)m->candidates, (long long)error->row, came);
    }
    return error->status;
}

/* Whether one is faulty. Doubles become 32 bits where those hold them all: half as much to write and to read. */
static int counts(matrix *m, int64_t first, int64_t rows) {
    int64_t columns = m->columns;
    int faulty;
    if (TYPEOF(m->values) == INTSXP) {
        TURN(int, INTEGER, int32_t, x, BELOW_ZERO);
        return faulty;
    }
    m->type = HABITUS_INT32;
    TURN(double, REAL, int32_t, small_count(x), BELOW_ZERO);
    if (!faulty) return 0;
    m->type = HABITUS_INT64;
    TURN(double, REAL, int64_t, count(x), BELOW_ZERO);
    return faulty;
}

static int reals(matrix *m, int64_t first, int64_t rows) {
    int64_t columns = m->columns;
    int faulty;
    if (TYPEOF(m->values) == INTSXP)
        TURN(int, INTEGER, double, x == NA_INTEGER ? NA_REAL : (double)x, (void)0);
    else
        TURN(double, REAL, double, x, (void)0);
    return faulty;
}

static int rankings(matrix *m, int64_t first, int64_t rows) {
    int64_t columns = m->columns, candidates = m->candidates;
    int faulty;
    if (TYPEOF(m->values) == INTSXP)
        TURN(int, INTEGER, int32_t, candidate(x, candidates), BELOW_EMPTY);
    else
        TURN(double, REAL, int32_t, candidate_of_real(x, candidates), BELOW_EMPTY);
    return faulty;
}

static int numbers(matrix *m, int64_t first, int64_t rows) {
    int64_t columns = m->columns, candidates = m->candidates;
    int faulty;
    if (TYPEOF(m->values) == INTSXP)
        TURN(int, INTEGER, int32_t, candidate(x, candidates), BELOW_ZERO);
    else
        TURN(double, REAL, int32_t, candidate_of_real(x, candidates), BELOW_ZERO);
    return faulty;
}

int habitus_r_rows(matrix *m, int64_t first, int64_t rows, habitus_error *error) {
    int faulty;
    switch (m->content) {
        case COUNTS: faulty = counts(m, first, rows); break;
        case RANKINGS: faulty = rankings(m, first, rows); break;
        case NUMBERS: faulty = numbers(m, first, rows); break;
        default: faulty = reals(m, first, rows);
    }
    return faulty ? blame(m, first, error) : HABITUS_OK;
}
