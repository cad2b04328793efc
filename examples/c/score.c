/* Scores a model's lists with libhabitus.
 *
 *     python3 -m habitus_bindings.native install --prefix "$HOME/.local"
 *     export PKG_CONFIG_PATH="$HOME/.local/lib/pkgconfig" LD_LIBRARY_PATH="$HOME/.local/lib"
 *     gcc score.c $(pkg-config --cflags --libs habitus) -lm -o score && ./score
 */
#include <habitus.h>
#include <math.h>
#include <stdio.h>

enum { TASKS = 2, CANDIDATES = 4, LENGTH = 2 };

int main(void) {
    const int32_t counts[TASKS][CANDIDATES] = {{9, 4, 1, 0}, {2, 2, 2, 2}}; /* how many users chose each candidate */
    const int16_t rankings[TASKS][LENGTH] = {{0, 2}, {3, -1}};              /* a model's lists, best first; -1 = empty */
    double entropy[TASKS], chance[TASKS], worst[TASKS], cross_entropy[TASKS];
    int32_t valid[TASKS];
    habitus_error error;

    if (habitus_score(counts, HABITUS_INT32, TASKS, CANDIDATES, rankings, HABITUS_INT16, TASKS, LENGTH, NULL, NAN,
                      HABITUS_CHANCE, entropy, chance, worst, cross_entropy, valid, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    for (int t = 0; t < TASKS; t++)
        printf("task %d: H %.3f, CE %.3f, chance %.3f nats, %d of %d slots filled\n", t, entropy[t], cross_entropy[t],
               chance[t], valid[t], LENGTH);
    return 0;
}
