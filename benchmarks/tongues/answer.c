/* Answers benchmarks.tongues line by line, in C: see programs.py for the questions. */
#include <habitus.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { K = 50, N = 10 };

static habitus_error error;
static int32_t *counts;
static int16_t *rankings;
static int64_t rows;
static double *out;
static int32_t *valid;

static int fill_number(const char *name) {
    static const char *names[] = {"chance", "optimistic", "worst", "drop"};
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0) return i;
    return -1;
}

static void score(char *line) {
    char fill[32], alpha[64];
    int used, candidates, length;
    sscanf(line, "score %31s %63s %d %d%n", fill, alpha, &candidates, &length, &used);
    int32_t *n = malloc((size_t)candidates * 4), listed;
    int16_t *list = malloc((size_t)length * 2);
    char *at = line + used;
    for (int i = 0; i < candidates; i++) n[i] = (int32_t)strtol(at, &at, 10);
    for (int i = 0; i < length; i++) list[i] = (int16_t)strtol(at, &at, 10);
    double v[4];
    int status = habitus_score(n, HABITUS_INT32, 1, candidates, list, HABITUS_INT16, 1, length, NULL, strtod(alpha, NULL),
                               fill_number(fill), v, v + 1, v + 2, v + 3, &listed, &error);
    if (status)
        printf("error %s\n", error.message);
    else
        printf("ok %.17g %.17g %.17g %.17g %d\n", v[0], v[1], v[2], v[3], listed);
    free(n);
    free(list);
}

static void *whole(const char *folder, const char *name, size_t width) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    void *data = malloc((size_t)rows * width);
    if (!file || fread(data, width, (size_t)rows, file) != (size_t)rows) exit(2);
    fclose(file);
    return data;
}

static void load(char *line) {
    char folder[4000];
    long long size;
    sscanf(line, "load %3999s %lld", folder, &size);
    rows = size;
    counts = whole(folder, "counts", K * sizeof *counts);
    rankings = whole(folder, "rankings", N * sizeof *rankings);
    out = malloc((size_t)rows * 4 * sizeof *out);
    valid = malloc((size_t)rows * sizeof *valid);
    printf("ok\n");
}

static int run(void) {
    return habitus_score(counts, HABITUS_INT32, rows, K, rankings, HABITUS_INT16, rows, N, NULL, NAN, HABITUS_CHANCE, out,
                         out + rows, out + 2 * rows, out + 3 * rows, valid, &error);
}

/* Calls that must be refused; returns the status. */
static int bad(int number) {
    int32_t one[] = {1, 2}, listed;
    double v[4];
    switch (number) {
        case 0: return habitus_score(NULL, HABITUS_INT32, 1, 2, one, HABITUS_INT32, 1, 1, NULL, NAN, 0, v, v, v, v, &listed, &error);
        case 1: return habitus_score(one, 9, 1, 2, one, HABITUS_INT32, 1, 1, NULL, NAN, 0, v, v, v, v, &listed, &error);
        case 2: return habitus_score(one, HABITUS_INT32, -1, 2, one, HABITUS_INT32, 1, 1, NULL, NAN, 0, v, v, v, v, &listed, &error);
        case 3: return habitus_score(one, HABITUS_INT32, 1, 2, one, HABITUS_INT32, 1, 1, NULL, NAN, 0, NULL, v, v, v, &listed, &error);
        case 4: return habitus_score(one, HABITUS_INT32, 1, INT64_MAX, one, HABITUS_INT32, 1, 1, NULL, NAN, 0, v, v, v, v, &listed, &error);
        case 5: return habitus_entropy(one, HABITUS_INT32, 1, 2, 99, NAN, v, &error);
        default: return -1;
    }
}

int main(void) {
    static char line[1 << 20];
    while (fgets(line, sizeof line, stdin)) {
        if (strncmp(line, "score ", 6) == 0)
            score(line);
        else if (strncmp(line, "load ", 5) == 0)
            load(line);
        else if (strncmp(line, "bad ", 4) == 0) {
            int status = bad(atoi(line + 4));
            printf(status < 0 ? "end\n" : status ? "error %s\n" : "ok\n", error.message);
        } else {
            clock_t start = clock();
            if (run()) return 1;
            printf("ok %.17g %.17g\n", (double)(clock() - start) / CLOCKS_PER_SEC * 1e9 / (double)rows, out[4 * rows - 1]);
        }
        fflush(stdout);
    }
    return 0;
}
