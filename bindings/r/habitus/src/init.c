/* The routines that R may call, and no others. */

#include <R_ext/Rdynload.h>

#include "package.h"

#define ROUTINE(name, arguments) {#name, (DL_FUNC)&habitus_r_##name, arguments}

static const R_CallMethodDef ROUTINES[] = {
    ROUTINE(score, 6),        ROUTINE(skill, 6), ROUTINE(entropy, 3), ROUTINE(bin_means, 4),
    ROUTINE(rolling_mean, 2), ROUTINE(curve, 5), ROUTINE(info, 0),    ROUTINE(histories, 4),
    ROUTINE(tasks, 9),        {NULL, NULL, 0},
};

void R_init_habitus(DllInfo *dll) {
    R_registerRoutines(dll, NULL, ROUTINES, NULL, NULL);
    R_useDynamicSymbols(dll, FALSE);
    R_forceSymbols(dll, TRUE);
}
