/* Calls of libhabitus that no careful caller makes: built with gcc and run under valgrind by tests/bindings/test_native.py.
 *
 *     ./native SEED CALLS     prints how often each status came
 *
 * Every buffer has exactly the size that the header asks for, so that a read or a write beyond it is seen; what is in it,
 * and every number, is drawn from what is right, nearly right and absurd.
 */
#include <habitus.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint64_t draw(uint64_t below) {
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (z ^ (z >> 31)) % below;
}

static double real(void) {
    static const double odd[] = {0, -1, NAN, INFINITY, -INFINITY, 1e308, 5e-324, 1e-320};
    return draw(40) ? (double)draw(1000) / 100 : odd[draw(sizeof odd / sizeof *odd)];
}

static int64_t width(int type) { return type == 1 ? 1 : type == 2 ? 2 : type == 3 ? 4 : 8; }

/* Integers below `limit`, once in `rare` something else. */
static void *integers(int type, int64_t size, uint64_t limit, int64_t low, uint64_t rare) {
    static const int64_t odd[] = {-2, -1, 127, 32767, 32768, 2147483647, INT64_MAX, INT64_MIN};
    char *data = malloc((size_t)(size * width(type)));
    for (int64_t i = 0; i < size; i++) {
        int64_t n = draw(rare) ? (int64_t)draw(limit) + low : odd[draw(sizeof odd / sizeof *odd)];
        if (type == HABITUS_FLOAT64) {
            double x = draw(rare) ? (double)draw(limit) : real();
            memcpy(data + i * 8, &x, 8);
        } else
            memcpy(data + i * width(type), &n, (size_t)width(type)); /* little endian */
    }
    return data;
}

static double *reals(int64_t size) {
    double *data = malloc((size_t)size * sizeof *data);
    for (int64_t i = 0; i < size; i++) data[i] = real();
    return data;
}

static double *room(int64_t size) { return malloc((size_t)size * sizeof(double)); }

/* Once in 20 a size that is not the buffer's, of those that must be refused before a buffer is touched. */
static int64_t size_or_worse(int64_t size) {
    static const int64_t odd[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX / 2};
    return draw(20) ? size : odd[draw(4)];
}

static const void *pointer_or_null(const void *pointer) { return draw(40) ? pointer : NULL; }

/* Lists that repeat nothing, so that many calls go all the way. */
static void distinct(void *lists, int type, int64_t rows, int64_t length, int64_t candidates) {
    for (int64_t s = 0; s < rows; s++)
        for (int64_t first = (int64_t)draw((uint64_t)candidates), i = 0; i < length; i++) {
            int64_t item = draw(30) ? (first + i) % candidates : -1;
            memcpy((char *)lists + (s * length + i) * width(type), &item, (size_t)width(type));
        }
}

static int scores(int general) {
    static const int64_t sizes[] = {1, 2, 3, 7, 10, 16, 20, 31, 33, 50, 64, 100, 130, 4097};
    int64_t K = sizes[draw(sizeof sizes / sizeof *sizes)], N = 1 + (int64_t)draw((uint64_t)(K < 12 ? K : 12));
    int64_t tasks = (int64_t)draw(K > 1000 ? 3 : 70), lists = draw(3) ? tasks : (int64_t)draw(90);
    int counts_type = 1 + (int)draw(4), lists_type = 1 + (int)draw(4);
    void *counts = integers(counts_type, tasks * K, 60, 0, draw(2) ? 1u << 30 : 200);
    int64_t listed = lists_type == HABITUS_INT8 && K > 128 ? 128 : K; /* candidates that the type can name */
    void *rankings = integers(lists_type, lists * N, (uint64_t)listed, 0, 40);
    if (draw(4)) distinct(rankings, lists_type, lists, N, listed);
    int64_t *task = lists != tasks || draw(2) ? integers(HABITUS_INT64, lists, (uint64_t)(tasks ? tasks : 1), 0, 3000) : NULL;
    double *weights = room(tasks * K), *values = room(tasks * K), *out[4] = {room(tasks), room(tasks), room(tasks), room(lists)};
    int32_t *valid = malloc((size_t)lists * sizeof *valid);
    for (int64_t t = 0; general && t < tasks; t++) {
        double total = 0;
        for (int64_t i = 0; i < K; i++) total += weights[t * K + i] = (double)draw(9) + 1;
        for (int64_t i = 0; i < K; i++) values[t * K + i] = weights[t * K + i] = weights[t * K + i] / total;
        if (!draw(200)) values[t * K] = real();
    }
    habitus_error error, *said = draw(10) ? &error : NULL;
    double alpha = draw(3) ? NAN : real();
    int fill = draw(30) ? (int)draw(4) : (int)draw(100) - 50, odd_type = draw(40) ? lists_type : (int)draw(9) - 2;
    if (width(odd_type) > width(lists_type) || odd_type == HABITUS_FLOAT64) odd_type = lists_type;
    int status =
        general ? habitus_score_values(pointer_or_null(weights), pointer_or_null(values), size_or_worse(tasks), K,
                                       pointer_or_null(rankings), odd_type, size_or_worse(lists), N, task, fill, out[0],
                                       out[1], out[2], out[3], valid, said)
                : habitus_score(pointer_or_null(counts), counts_type, size_or_worse(tasks), size_or_worse(K),
                                pointer_or_null(rankings), odd_type, size_or_worse(lists), size_or_worse(N), task, alpha,
                                fill, out[0], (double *)pointer_or_null(out[1]), out[2], out[3], valid, said);
    if (said && status != said->status) abort();
    if (said && status && !memchr(said->message, 0, sizeof said->message)) abort();
    double skill;
    int64_t scored, excluded;
    if (!status) /* what was written is read: memcheck notices if it was not */
        status = habitus_skill(out[0], out[1], draw(2) ? out[1] : out[2], tasks, out[3], lists, task, draw(2) ? NAN : real(),
                               &skill, &scored, &excluded, said);
    if (!status && scored + excluded != lists) abort();
    for (int i = 0; i < 4; i++) free(out[i]);
    free(counts), free(rankings), free(task), free(weights), free(values), free(valid);
    return status;
}

static int entropies(void) {
    int64_t K = 1 + (int64_t)draw(60), tasks = (int64_t)draw(20);
    int type = 1 + (int)draw(5), estimator = draw(30) ? (int)draw(7) : (int)draw(100) - 50;
    void *counts = integers(type, tasks * K, 60, 0, 400);
    double *entropy = room(tasks), sum = 0;
    int status = habitus_entropy(pointer_or_null(counts), type, size_or_worse(tasks), size_or_worse(K), estimator,
                                 draw(2) ? NAN : real(), entropy, NULL);
    for (int64_t t = 0; !status && t < tasks; t++) sum += entropy[t];
    free(counts), free(entropy);
    return sum > 1e300 ? 0 : status;
}

static int curves(void) {
    int64_t points = (int64_t)draw(3000), bins = 1 + (int64_t)draw(300), window = 1 + (int64_t)draw(40);
    int64_t places = (int64_t)draw(20), degree = (int64_t)draw(17);
    double *x = reals(points), *y = reals(points), *grid = reals(places), *fitted = room(places), turning_point, out = 0;
    double *center = room(bins), *mean = room(bins), *rolled = room(points), low = draw(2) ? NAN : real(), high = draw(2) ? NAN : real();
    if (draw(3))
        for (int64_t i = 0; i < points; i++) x[i] = isinf(x[i]) ? 1 : x[i], y[i] = isinf(y[i]) ? 1 : y[i];
    int64_t *count = malloc((size_t)bins * sizeof *count);
    int outcome, status = habitus_bin_means(x, y, points, size_or_worse(bins), low, high, center, mean, count, NULL);
    if (!status) out += mean[0] > 0;
    status = habitus_curve(x, y, size_or_worse(points), bins, size_or_worse(window), degree, low, high, grid, places,
                           &turning_point, &outcome, fitted, NULL);
    if (!status && (outcome < HABITUS_VALUE || outcome > HABITUS_UNDEFINED)) abort();
    if (!status) out += turning_point > 0;
    int64_t asked = size_or_worse(window);
    int rolling = habitus_rolling_mean(y, points, asked, rolled, NULL);
    if (!rolling && points >= asked) out += rolled[points - asked] > 0;
    free(x), free(y), free(grid), free(fitted), free(center), free(mean), free(rolled), free(count);
    return out < 0 ? 0 : status;
}

static int tasks(void) {
    int64_t users = (int64_t)draw(90), items = 1 + (int64_t)draw(200), draws = (int64_t)draw(40), h = (int64_t)draw(8), pairs = 0;
    int64_t K = 1 + (int64_t)draw(30), offered = (int64_t)draw((uint64_t)items + 1);
    uint64_t share = 1 + draw(60);
    int32_t *of_users = malloc((size_t)(users * items) * 4 + 4), *of_items = malloc((size_t)(users * items) * 4 + 4);
    for (int64_t user = 0; user < users; user++)
        for (int64_t item = 0; item < items; item++)
            if (!draw(share)) of_users[pairs] = (int32_t)user, of_items[pairs++] = (int32_t)item;
    if (pairs && !draw(10)) of_items[draw((uint64_t)pairs)] = (int32_t)draw(400) - 20;
    int32_t *log_users = malloc((size_t)pairs * 4), *log_items = malloc((size_t)pairs * 4);
    memcpy(log_users, of_users, (size_t)pairs * 4), memcpy(log_items, of_items, (size_t)pairs * 4);
    int32_t *inventory = malloc((size_t)offered * 4), *histories = malloc((size_t)(draws * h) * 4);
    for (int64_t i = 0; i < offered; i++) inventory[i] = draw(900) ? (int32_t)i : (int32_t)draw(400);
    uint64_t *seeds = malloc((size_t)draws * 8);
    int32_t *cell_of_user = integers(HABITUS_INT32, users, 3, -1, 300), *cells = integers(HABITUS_INT32, draws, 3, 0, 3000);
    int status = habitus_seeds(draw(1u << 20), draw(9), size_or_worse(draws), seeds, NULL);
    for (int64_t i = 0; status && i < draws; i++) seeds[i] = 1;
    status = habitus_histories(seeds, draws, inventory, offered, h, histories, NULL);
    for (int64_t i = 0; status && i < draws * h; i++) histories[i] = (int32_t)draw((uint64_t)items);
    int64_t *size = malloc((size_t)draws * 8), sum = 0;
    int32_t *chosen = malloc((size_t)(draws * K) * 4), *counts = malloc((size_t)(draws * K) * 4);
    status = habitus_tasks(pointer_or_null(log_users), log_items, pairs, users, size_or_worse(items), cell_of_user, cells,
                           histories, size_or_worse(draws), h, draw(20) ? (h + 1) / 2 : (int64_t)draw(20) - 5, seeds,
                           inventory, offered, (int64_t)draw(5), size_or_worse(K), draw(30) ? (int)draw(4) : (int)draw(50) - 25,
                           size, chosen, counts, NULL);
    for (int64_t i = 0; !status && i < draws * K; i++) sum += chosen[i] + counts[i] + size[i / K] > 0;
    free(of_users), free(of_items), free(log_users), free(log_items), free(inventory), free(histories), free(seeds);
    free(cell_of_user), free(cells), free(size), free(chosen), free(counts);
    return sum < 0 ? 0 : status;
}

int main(int size, char **arguments) {
    int64_t calls = size > 2 ? atoll(arguments[2]) : 1000, found[8] = {0};
    state = size > 1 ? strtoull(arguments[1], NULL, 10) : 0;
    for (int64_t i = 0; i < calls; i++) {
        uint64_t which = draw(9);
        int status = which < 4   ? scores(0)
                     : which < 5 ? scores(1)
                     : which < 6 ? entropies()
                     : which < 8 ? curves()
                                 : tasks();
        if (status < 0 || status > 6) abort();
        found[status]++;
    }
    printf("%s:", habitus_variant());
    for (int i = 0; i < 7; i++) printf(" %lld", (long long)found[i]);
    printf("\n");
    return 0;
}
