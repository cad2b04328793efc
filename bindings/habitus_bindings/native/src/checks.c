/* Checks of what callers pass in, in the words of the Python engine: what was expected, and what came. */

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static const double ROUNDING = 1e-9; /* rows of probabilities sum to 1 within this */
static const int64_t MOST = INT64_MAX / 64; /* elements of any array that is made from sizes */
static const int64_t WIDEST = (int64_t)1 << 40;

int habitus_fail(habitus_error *error, int status, int64_t row, int64_t column, const char *format, ...) {
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
        error->status = status;
        error->row = row;
        error->column = column;
    }
    return status;
}

int habitus_succeed(habitus_error *error) {
    if (error) {
        error->status = HABITUS_OK;
        error->row = error->column = -1;
        error->message[0] = 0;
    }
    return HABITUS_OK;
}

int habitus_no_memory(habitus_error *error) {
    return habitus_fail(error, HABITUS_NO_MEMORY, -1, -1, "expected memory for scratch, there is none left");
}

int habitus_check_cpu(habitus_error *error) {
    if (habitus_kernels) return HABITUS_OK;
    return habitus_fail(error, HABITUS_BAD_CPU, -1, -1, "expected a processor of x86-64-v2 (2009) or later");
}

int64_t habitus_width(int type) {
    switch (type) {
        case HABITUS_INT8: return 1;
        case HABITUS_INT16: return 2;
        case HABITUS_INT32: return 4;
        case HABITUS_INT64:
        case HABITUS_FLOAT64: return 8;
        default: return 0;
    }
}

int64_t habitus_item(const matrix *m, int64_t place) {
    switch (m->type) {
        case HABITUS_INT8: return ((const int8_t *)m->data)[place];
        case HABITUS_INT16: return ((const int16_t *)m->data)[place];
        case HABITUS_INT32: return ((const int32_t *)m->data)[place];
        default: return ((const int64_t *)m->data)[place];
    }
}

int habitus_check_pointer(const char *name, const void *pointer, int64_t items, habitus_error *error) {
    if (pointer || items == 0) return HABITUS_OK;
    return habitus_fail(error, HABITUS_BAD_ARGUMENT, -1, -1, "%s: expected %" PRId64 " values, got a null pointer", name,
                        items);
}

int habitus_check_matrix(const matrix *m, int reals, habitus_error *error) {
    int64_t width = habitus_width(m->type);
    if (!width || (m->type == HABITUS_FLOAT64 && !reals))
        return habitus_fail(error, HABITUS_BAD_ARGUMENT, -1, -1, "%s: expected integers (HABITUS_INT8 to HABITUS_INT64), "
                            "got type %d", m->name, m->type);
    if (m->rows < 0 || m->columns < 1)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "%s: expected a 2-d array with at least one column, got shape "
                            "(%" PRId64 ", %" PRId64 ")", m->name, m->rows, m->columns);
    if (m->columns > WIDEST || m->rows > MOST / m->columns)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "%s: expected at most %" PRId64 " numbers, got shape (%" PRId64
                            ", %" PRId64 ")", m->name, MOST, m->rows, m->columns);
    if ((uintptr_t)m->data % (uintptr_t)width)
        return habitus_fail(error, HABITUS_BAD_ARGUMENT, -1, -1, "%s: expected an address that is a multiple of %" PRId64,
                            m->name, width);
    return habitus_check_pointer(m->name, m->data, m->rows, error);
}

int habitus_check_alpha(double *alpha, double otherwise, int64_t candidates, int zero, habitus_error *error) {
    if (isnan(*alpha)) *alpha = otherwise;
    if (isfinite(*alpha * (double)candidates) && (*alpha > 0 || (zero && *alpha == 0))) return HABITUS_OK;
    return habitus_fail(error, HABITUS_BAD_ARGUMENT, -1, -1, "alpha: expected a finite pseudo-count %s 0, got %.17g",
                        zero ? ">=" : ">", *alpha);
}

int habitus_check_points(const char *name, const double *values, int64_t size, habitus_error *error) {
    if (size < 0 || size > MOST)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "%s: expected from 0 to %" PRId64 " numbers, got %" PRId64, name,
                            MOST, size);
    int status = habitus_check_pointer(name, values, size, error);
    if (status) return status;
    for (int64_t i = 0; i < size; i++)
        if (isinf(values[i]))
            return habitus_fail(error, HABITUS_BAD_VALUE, i, -1, "%s: expected finite numbers, got %sinf at %" PRId64, name,
                                values[i] < 0 ? "-" : "", i);
    return HABITUS_OK;
}

int habitus_check_tasks(const int64_t *task, int64_t lists, int64_t tasks, habitus_error *error) {
    if (tasks < 0 || lists < 0 || tasks > MOST || lists > MOST)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "expected from 0 to %" PRId64 " tasks and rankings, got %" PRId64
                            " and %" PRId64, MOST, tasks, lists);
    if (!task) {
        if (lists == tasks) return HABITUS_OK;
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "expected one ranking per task (%" PRId64 "), got %" PRId64
                            "; say which is whose with task=", tasks, lists);
    }
    for (int64_t s = 0; s < lists; s++)
        if (task[s] < 0 || task[s] >= tasks)
            return habitus_fail(error, HABITUS_BAD_INDEX, s, -1, "task: expected numbers in [0, %" PRId64 "), got %" PRId64
                                " for ranking %" PRId64, tasks, task[s], s);
    return HABITUS_OK;
}

int habitus_counts_row(const matrix *m, int64_t row, double *out, habitus_error *error) {
    int positive = 0;
    for (int64_t i = 0; i < m->columns; i++) {
        int64_t place = row * m->columns + i;
        if (m->type == HABITUS_FLOAT64) {
            double n = ((const double *)m->data)[place];
            if (!(n >= 0 && isfinite(n)))
                return habitus_fail(error, HABITUS_BAD_VALUE, row, i, "%s: expected finite counts >= 0, got %.17g for task "
                                    "%" PRId64 ", candidate %" PRId64, m->name, n, row, i);
            out[i] = n;
        } else {
            int64_t n = habitus_item(m, place);
            if (n < 0)
                return habitus_fail(error, HABITUS_BAD_VALUE, row, i, "%s: expected counts >= 0, got %" PRId64 " for task "
                                    "%" PRId64 ", candidate %" PRId64, m->name, n, row, i);
            out[i] = (double)n;
        }
        positive |= out[i] > 0;
    }
    if (positive) return HABITUS_OK;
    return habitus_fail(error, HABITUS_BAD_VALUE, row, -1, "%s: expected a positive count in every row, task %" PRId64
                        " has none; leave it out", m->name, row);
}

int habitus_distribution_row(const char *name, const double *from, int64_t row, int64_t columns, int positive,
                             habitus_error *error) {
    double total = 0;
    for (int64_t i = 0; i < columns; i++) {
        double p = from[row * columns + i];
        if (!(isfinite(p) && (positive ? p > 0 : p >= 0)))
            return habitus_fail(error, HABITUS_BAD_VALUE, row, i, "%s: expected finite numbers %s 0, got %.17g for task "
                                "%" PRId64 ", candidate %" PRId64, name, positive ? ">" : ">=", p, row, i);
        total += p;
    }
    if (fabs(total - 1) <= ROUNDING) return HABITUS_OK;
    return habitus_fail(error, HABITUS_BAD_VALUE, row, -1, "%s: expected rows that sum to 1, task %" PRId64 " sums to %.17g; "
                        "divide by it", name, row, total);
}

void *habitus_aligned(int64_t count, int64_t size) {
    void *memory = NULL;
    if (count > MOST || posix_memalign(&memory, 64, (size_t)(count > 0 ? count : 1) * (size_t)size)) return NULL;
    return memory;
}
