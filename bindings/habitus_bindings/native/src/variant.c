/* Which kernels this processor is given: chosen once, while the library is loaded, before any call. */

#include <string.h>

#include "internal.h"

const struct kernels *habitus_kernels;

#if defined(__x86_64__)

extern const struct kernels habitus_kernels_x86_64_v2, habitus_kernels_x86_64_v3, habitus_kernels_x86_64_v4;

__attribute__((constructor)) static void choose(void) {
    __builtin_cpu_init();
    const struct kernels *held[] = {
        __builtin_cpu_supports("x86-64-v4") ? &habitus_kernels_x86_64_v4 : NULL,
        __builtin_cpu_supports("x86-64-v3") ? &habitus_kernels_x86_64_v3 : NULL,
        __builtin_cpu_supports("x86-64-v2") ? &habitus_kernels_x86_64_v2 : NULL,
    };
    const char *wanted = getenv("HABITUS_VARIANT");
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        if (held[i] && (!habitus_kernels || (wanted && strcmp(wanted, held[i]->variant) == 0)))
            habitus_kernels = held[i];
}

#else

extern const struct kernels habitus_kernels_generic;

__attribute__((constructor)) static void choose(void) { habitus_kernels = &habitus_kernels_generic; }

#endif

const char *habitus_variant(void) { return habitus_kernels ? habitus_kernels->variant : "none"; }

const char *habitus_version(void) { return HABITUS_VERSION; }
