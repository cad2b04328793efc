/* Bins, rolling means and the curve of a model, as curves.py and uncertainty.py do with their kernels. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "internal.h"

enum {
    PIECE = 1 << 17, /* points whose sums are made together; pieces are added in order */
    ROWS = 4,        /* of sums, for neighbours that have the same bin; one beyond FEW bins */
    FEW = 4096,
    AT_ONCE = 1 << 10,
    MOST_BINS = 1 << 28
};

static int check(const double *x, const double *y, int64_t points, int64_t bins, double *low, double *high,
                 habitus_error *error) {
    int status = habitus_check_cpu(error);
    if (status) return status;
    if (bins < 1 || bins > MOST_BINS)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "bins: expected at least 1 and at most %d, got %" PRId64,
                            MOST_BINS, bins);
    if ((status = habitus_check_points("x", x, points, error))) return status;
    if ((status = habitus_check_points("y", y, points, error))) return status;
    if (isnan(*low) && isnan(*high)) {
        for (int64_t i = 0; i < points; i++)
            if (!isnan(y[i])) {
                *low = fmin(*low, x[i]);
                *high = fmax(*high, x[i]);
            }
        if (isnan(*low)) return HABITUS_OK; /* no point, no range */
    }
    if (*low <= *high && isfinite(*high - *low)) return HABITUS_OK;
    if (*low <= *high)
        return habitus_fail(error, HABITUS_BAD_VALUE, -1, -1, "support: expected a finite width, got (%.17g, %.17g)", *low, *high);
    return habitus_fail(error, HABITUS_BAD_ARGUMENT, -1, -1, "support: expected (low, high) with low <= high, got (%.17g, "
                        "%.17g)", *low, *high);
}

/* total and count of each bin, zeroed by the caller. */
static int add(const double *x, const double *y, int64_t points, int64_t bins, double low, double high, double *total,
               double *count) {
    int64_t rows = bins <= FEW ? ROWS : 1, piece = 16 * bins > PIECE ? 16 * bins : PIECE;
    size_t size = (size_t)(rows * bins) * 2 * sizeof(double);
    double *sums = habitus_aligned(rows * bins * 2, sizeof *sums);
    int32_t at[AT_ONCE];
    answer a;
    if (!sums) return 0;
    for (int64_t first = 0; first < points; first += piece) {
        int64_t n = points - first < piece ? points - first : piece;
        memset(sums, 0, size);
        habitus_kernels->bin_sums(ANSWER(a), VECTOR(x + first, n), VECTOR(y + first, n), low, high, VECTOR(at, AT_ONCE),
                                  CUBE(sums, rows, bins, 2));
        for (int64_t cell = 0; cell < rows * bins; cell++) {
            total[cell % bins] += sums[2 * cell];
            count[cell % bins] += sums[2 * cell + 1];
        }
    }
    free(sums);
    return 1;
}

int habitus_bin_means(const double *x, const double *y, int64_t points, int64_t bins, double low, double high,
                      double *center, double *mean, int64_t *count, habitus_error *error) {
    int status = check(x, y, points, bins, &low, &high, error);
    if (status) return status;
    if ((status = habitus_check_pointer("center", center, bins, error)) ||
        (status = habitus_check_pointer("mean", mean, bins, error)) ||
        (status = habitus_check_pointer("count", count, bins, error)))
        return status;
    double *total = calloc((size_t)bins * 2, sizeof *total);
    if (!total || !add(x, y, points, bins, low, high, total, total + bins)) {
        free(total);
        return habitus_no_memory(error);
    }
    double width = (high - low) / (double)bins;
    for (int64_t b = 0; b < bins; b++) {
        count[b] = (int64_t)total[bins + b];
        mean[b] = count[b] ? total[b] / total[bins + b] : NAN;
        center[b] = low + ((double)b + 0.5) * width;
    }
    free(total);
    return habitus_succeed(error);
}

int habitus_rolling_mean(const double *values, int64_t size, int64_t window, double *out, habitus_error *error) {
    answer a;
    int status = habitus_check_cpu(error);
    if (status) return status;
    if (window < 1)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "window: expected at least 1, got %" PRId64, window);
    if ((status = habitus_check_points("values", values, size, error))) return status;
    int64_t means = size >= window ? size - window + 1 : 0;
    if ((status = habitus_check_pointer("out", out, means, error))) return status;
    if (means) habitus_kernels->rolling_mean(ANSWER(a), VECTOR(values, size), VECTOR(out, means));
    return habitus_succeed(error);
}

/* From sums to the turn, in bins. */
static int turn(double *sums, int64_t bins, int64_t window, int64_t degree, const double *grid, int64_t places,
                double *turning_point, uint8_t *outcome, double *fitted) {
    int64_t size = degree + 1, zero = 0, *filled = habitus_aligned(bins, sizeof *filled);
    double *held = habitus_aligned(3 * bins + 2 * size + size * bins + size * size + (size + 1) * size, sizeof *held);
    answer a;
    if (filled && held) {
        double *u = held, *mean = u + bins, *y = mean + bins, *norm = y + bins, *roots = norm + size, *basis = roots + size;
        double *powers = basis + size * bins, *derivatives = powers + size * size;
        habitus_kernels->turns(ANSWER(a), CUBE(sums + bins, 1, 1, bins), CUBE(sums, 1, 1, bins), VECTOR(&zero, 1), window,
                               VECTOR(grid, places), VECTOR(filled, bins), VECTOR(u, bins), VECTOR(mean, bins),
                               VECTOR(y, bins), VECTOR(norm, size), VECTOR(roots, size), MATRIX(basis, size, bins),
                               MATRIX(powers, size, size), MATRIX(derivatives, size + 1, size),
                               MATRIX(turning_point, 1, 1), MATRIX(outcome, 1, 1), CUBE(fitted, 1, 1, places));
    }
    int good = filled && held;
    free(filled);
    free(held);
    return good;
}

int habitus_curve(const double *entropy, const double *cross_entropy, int64_t points, int64_t bins, int64_t window,
                  int64_t degree, double low, double high, const double *grid, int64_t places, double *turning_point,
                  int *outcome, double *fitted, habitus_error *error) {
    int status = check(entropy, cross_entropy, points, bins, &low, &high, error);
    uint8_t kind = HABITUS_UNDEFINED;
    if (status) return status;
    if (window < 1 || degree < 1 || degree > 15)
        return habitus_fail(error, HABITUS_BAD_SHAPE, -1, -1, "expected a window >= 1 and a degree from 1 to 15, got %" PRId64
                            " and %" PRId64, window, degree);
    if ((status = habitus_check_points("grid", grid, places, error)) ||
        (status = habitus_check_pointer("fitted", fitted, places, error)) ||
        (status = habitus_check_pointer("turning_point", turning_point, 1, error)) ||
        (status = habitus_check_pointer("outcome", outcome, 1, error)))
        return status;
    double *held = calloc((size_t)(2 * bins + places), sizeof *held), *scaled = held + 2 * bins, width = (high - low) / (double)bins;
    int good = held && add(entropy, cross_entropy, points, bins, low, high, held, held + bins);
    if (good) {
        for (int64_t g = 0; g < places; g++) scaled[g] = (grid[g] - low) / (width > 0 ? width : 1);
        good = turn(held, bins, window, degree, scaled, places, turning_point, &kind, fitted);
    }
    free(held);
    if (!good) return habitus_no_memory(error);
    *turning_point = low + *turning_point * width;
    *outcome = kind;
    return habitus_succeed(error);
}
