// The practical limit of the hardware: entropy and cross-entropy of complete lists of N = 10 of K = 50, in AVX-512.
// The same method as habitus/kernels/lanes.py, for int32 counts <= 32757 and int16 lists that are correct: no checks.
// score_all adds chance and worst. network.h holds CX(i, j) for every comparator, then OUT(k, i) for every row in order. Built and
// called by c_limit.py.
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#define K 50
#define N 10
#define B 32
#define ALIGNED __attribute__((aligned(64)))
typedef __m512i V;
typedef __m512d D;

static __attribute__((noinline)) void sort(const V* restrict x, V* restrict y) {
  V v[K];
  for (int i = 0; i < K; i++) v[i] = x[i];
#define CX(i, j) { V t = _mm512_max_epi16(v[i], v[j]); v[j] = _mm512_min_epi16(v[i], v[j]); v[i] = t; }
#define OUT(k, i) y[k] = v[i];
#include "network.h"
#undef CX
#undef OUT
}

// 32 rows from column c on, packed in pairs of rows, to 16 columns.
static inline void transpose16(const int32_t* restrict c, V* restrict o) {
  V r[16], t[16], u[16];
  for (int i = 0; i < 16; i++)
    r[i] = _mm512_mask_blend_epi16(0xAAAAAAAAu, _mm512_loadu_si512(c + 2 * i * K),
                                   _mm512_slli_epi32(_mm512_loadu_si512(c + (2 * i + 1) * K), 16));
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 4; i++) {
    u[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    u[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    u[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    u[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
  for (int j = 0; j < 4; j++) {
    V a = _mm512_shuffle_i32x4(u[j], u[4 + j], 0x88), b = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0x88);
    V c_ = _mm512_shuffle_i32x4(u[j], u[4 + j], 0xdd), d = _mm512_shuffle_i32x4(u[8 + j], u[12 + j], 0xdd);
    o[j] = _mm512_shuffle_i32x4(a, b, 0x88);
    o[8 + j] = _mm512_shuffle_i32x4(a, b, 0xdd);
    o[4 + j] = _mm512_shuffle_i32x4(c_, d, 0x88);
    o[12 + j] = _mm512_shuffle_i32x4(c_, d, 0xdd);
  }
}

static inline D real(const int16_t* p) { return _mm512_cvtepi32_pd(_mm256_cvtepi16_epi32(_mm_load_si128((const __m128i*)p))); }

static void prefetch(const void* p, int lines) {
  for (int j = 0; j < lines; j++) _mm_prefetch((const char*)p + 64 * j, _MM_HINT_T1);
}

// Where a random list of N leaves the others, two by two (habitus/lanes.py, _band).
typedef struct {
  const double* share;
  const int64_t *start, *slot;
} Band;

// a[j] = sum of count * expected logarithm over all lists of N.
static inline void at_random(const int16_t* s, const double* L, Band band, D* a) {
  D listed[4], even[4], odd[4];
  for (int j = 0; j < 4; j++) {
    a[j] = listed[j] = _mm512_setzero_pd();
    for (int r = 0; r < N; r++) listed[j] = _mm512_fmadd_pd(_mm512_set1_pd(1.0 / K), _mm512_load_pd(L + r * B + 8 * j), listed[j]);
  }
  for (int p = 0; p < K / 2 && _mm512_test_epi16_mask(((const V*)s)[2 * p], ((const V*)s)[2 * p]); p++) {
    for (int j = 0; j < 4; j++) even[j] = odd[j] = listed[j];
    const double* share = band.share + 2 * band.start[p];
    for (int64_t k = band.slot[p]; k < band.slot[p] + band.start[p + 1] - band.start[p]; k++, share += 2)
      for (int j = 0; j < 4; j++) {
        D l = _mm512_load_pd(L + k * B + 8 * j);
        even[j] = _mm512_fmadd_pd(_mm512_set1_pd(share[0]), l, even[j]);
        odd[j] = _mm512_fmadd_pd(_mm512_set1_pd(share[1]), l, odd[j]);
      }
    for (int j = 0; j < 4; j++) {
      a[j] = _mm512_fmadd_pd(real(s + 2 * p * B + 8 * j), even[j], a[j]);
      a[j] = _mm512_fmadd_pd(real(s + (2 * p + 1) * B + 8 * j), odd[j], a[j]);
    }
  }
}

// a[j] = sum of count * logarithm if the last N in order are listed, the last first.
static inline void at_worst(const int16_t* s, const double* L, D* a) {
  for (int j = 0; j < 4; j++) a[j] = _mm512_setzero_pd();
  for (int k = 0; k < K; k++) {
    int row = k < N ? K - 1 - k : k - N;
    if (!_mm512_test_epi16_mask(((const V*)s)[row], ((const V*)s)[row])) continue;
    for (int j = 0; j < 4; j++) a[j] = _mm512_fmadd_pd(real(s + row * B + 8 * j), _mm512_load_pd(L + k * B + 8 * j), a[j]);
  }
}

// T[n] = log(n + alpha), LT[n] = log(n + alpha K); both have 32768 entries. chance and worst if they are not NULL.
static inline __attribute__((always_inline)) void block(const int32_t* restrict c, const int16_t* restrict lists,
                                                        const double* restrict T, const double* restrict LT, double alpha,
                                                        Band band, double* restrict H, double* restrict CE,
                                                        double* restrict chance, double* restrict worst) {
  ALIGNED V x[K + N], s[K], o[16];
  ALIGNED int16_t chosen[N * B];
  ALIGNED double L[K * B];
  const int16_t* sp = (const int16_t*)s;
  for (int g = 0; g < 3; g++) transpose16(c + 16 * g, x + 16 * g);
  transpose16(c + K - 16, o);
  x[48] = o[14];
  x[49] = o[15];
  sort(x, s);
  int k0 = K;  // counts below 16 are looked up in registers
  const D t0 = _mm512_loadu_pd(T), t1 = _mm512_loadu_pd(T + 8);
  while (k0 > 0 && !_mm512_cmpgt_epi16_mask(s[k0 - 1], _mm512_set1_epi16(15))) {
    k0--;
    for (int j = 0; j < B; j += 8)
      _mm512_store_pd(L + k0 * B + j, _mm512_permutex2var_pd(t0, _mm512_cvtepu16_epi64(_mm_load_si128((const __m128i*)(sp + k0 * B + j))), t1));
  }
#pragma GCC unroll 8
  for (int q = 0; q < k0 * B; q++) L[q] = T[(uint16_t)sp[q]];
  prefetch(c + B * K, 100);
  prefetch(lists + B * N, 10);
  D S[4], a[4], logs[4], common[4], scale[4];
  for (int j = 0; j < 4; j++) {
    S[j] = a[j] = logs[j] = _mm512_setzero_pd();
    for (int k = 0; k < K; k++) {
      D n = real(sp + k * B + 8 * j), l = _mm512_load_pd(L + k * B + 8 * j);
      S[j] = _mm512_add_pd(S[j], n);
      logs[j] = _mm512_add_pd(logs[j], l);
      a[j] = _mm512_fmadd_pd(n, l, a[j]);
    }
    double total[8], log_total[8];
    _mm512_storeu_pd(total, S[j]);
    for (int q = 0; q < 8; q++) log_total[q] = total[q] < 32768 ? LT[(int)total[q]] : log(total[q] + alpha * K);
    scale[j] = _mm512_div_pd(_mm512_set1_pd(1), _mm512_add_pd(S[j], _mm512_set1_pd(alpha * K)));
    common[j] = _mm512_fnmadd_pd(_mm512_mul_pd(logs[j], _mm512_set1_pd(alpha)), scale[j], _mm512_loadu_pd(log_total));
    _mm512_storeu_pd(H + 8 * j, _mm512_fnmadd_pd(a[j], scale[j], common[j]));
  }
  if (chance) {
    D expected[4], least[4];
    at_random(sp, L, band, expected);
    at_worst(sp, L, least);
    for (int j = 0; j < 4; j++) {
      _mm512_storeu_pd(chance + 8 * j, _mm512_fnmadd_pd(expected[j], scale[j], common[j]));
      _mm512_storeu_pd(worst + 8 * j, _mm512_fnmadd_pd(least[j], scale[j], common[j]));
    }
  }
  int16_t* keyed = (int16_t*)x;
  for (int t = 0; t < B; t++)
#pragma GCC unroll 10
    for (int q = 0; q < N; q++) {
      int16_t* cell = keyed + lists[t * N + q] * B + t;
      chosen[q * B + t] = *cell;
      *cell = (int16_t)(32767 - q);
    }
  sort(x, s);
  for (int q = 0; q < N; q++) s[q] = _mm512_load_si512(chosen + q * B);
  for (int j = 0; j < 4; j++) a[j] = _mm512_setzero_pd();
  for (int k = 0; k < K; k++)
    for (int j = 0; j < 4; j++) a[j] = _mm512_fmadd_pd(real(sp + k * B + 8 * j), _mm512_load_pd(L + k * B + 8 * j), a[j]);
  for (int j = 0; j < 4; j++) _mm512_storeu_pd(CE + 8 * j, _mm512_fnmadd_pd(a[j], scale[j], common[j]));
}

// Whole blocks of 32 rows only; the caller sees to the rest.
void score(const int32_t* c, const int16_t* lists, int64_t rows, const double* T, const double* LT, double alpha,
           double* H, double* CE) {
  for (int64_t i = 0; i + B <= rows; i += B) block(c + i * K, lists + i * N, T, LT, alpha, (Band){0}, H + i, CE + i, 0, 0);
}

void score_all(const int32_t* c, const int16_t* lists, int64_t rows, const double* T, const double* LT, double alpha,
               double* H, double* CE, double* chance, double* worst, const double* share, const int64_t* start,
               const int64_t* slot) {
  Band band = {share, start, slot};
  for (int64_t i = 0; i + B <= rows; i += B)
    block(c + i * K, lists + i * N, T, LT, alpha, band, H + i, CE + i, chance + i, worst + i);
}
