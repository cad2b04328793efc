"""Compiled loops for entropies. Imports math, numpy and numba only (see kernels/__init__.py).

Rows of counts that are sorted are walked value by value, each with how often it stands there: counts repeat.
"""

import math

from numba import njit, types

Matrix = types.Array(types.float64, 2, "C", readonly=True)

SERIES_FROM = 8.0  # from here on the asymptotic series below are exact to 2e-15
SHIFT = 8

# The quadrature of `nsb` over u = log beta. A flat top has steep sides: steps of 0.5, 0.4, 0.3 and 0.25 were off by as
# much as 2e-7, 6e-9, 2e-10 and 5e-11 (K = 2 to 1024, n = 1 to 1e6).
WIDEST_STEP, STEPS_PER_WIDTH, STRETCH_AFTER = 0.25, 2.0, 24.0
NEGLIGIBLE = 1e-12
MOST_STEPS = 2000


@njit(nogil=True, error_model="numpy")
def _total(row):
    total = 0.0
    for i in range(row.shape[0]):
        total += row[i]
    return total


@njit(nogil=True, error_model="numpy")
def _run_lengths(row, values, times):
    """The different values of a sorted row, and how often each stands there. Returns how many they are."""
    kinds = 0
    for i in range(row.shape[0]):
        if kinds and row[i] == values[kinds - 1]:
            times[kinds - 1] += 1.0
        else:
            values[kinds], times[kinds] = row[i], 1.0
            kinds += 1
    return kinds


@njit(nogil=True, error_model="numpy")
def _remainder_series(z):
    """r(z) for z >= 8; Abramowitz & Stegun (1964), 6.1.41."""
    v = 1.0 / (z * z)
    series = v * (1 / 1680 - v * (1 / 1188 - v * (691 / 360360 - v * (1 / 156))))
    return (1 / 12 - v * (1 / 360 - v * (1 / 1260 - series))) / z


@njit(nogil=True, error_model="numpy")
def _digamma_series(z, log_z):
    """psi(z + 1) for z >= 8; Abramowitz & Stegun (1964), 6.3.18."""
    v = 1.0 / (z * z)
    series = v * (1 / 252 - v * (1 / 240 - v * (1 / 132 - v * (691 / 32760 - v * (1 / 12)))))
    return log_z + 0.5 / z - v * (1 / 12 - v * (1 / 120 - series))


@njit(nogil=True, error_model="numpy")
def _digamma_after(y):
    """psi(y + 1), y > -1."""
    if y >= SERIES_FROM:
        return _digamma_series(y, math.log(y))
    z = y + SHIFT
    product, slope = 1.0, 0.0
    for j in range(1, SHIFT + 1):
        slope = slope * (y + j) + product
        product *= y + j
    return _digamma_series(z, math.log(z)) - slope / product


@njit(nogil=True, error_model="numpy")
def _remainder_and_digamma(y, log_y):
    """r(y) = log Gamma(y + 1) - (y + 1/2) log y + y - log(2 pi) / 2, and psi(y + 1), for y > 0."""
    if y >= SERIES_FROM:
        return _remainder_series(y), _digamma_series(y, log_y)
    z = y + SHIFT
    product, slope = 1.0, 0.0
    for j in range(1, SHIFT + 1):
        slope = slope * (y + j) + product
        product *= y + j
    log_z = math.log(z)
    remainder = _remainder_series(z) + (z + 0.5) * log_z - SHIFT - math.log(product) - (y + 0.5) * log_y
    return remainder, _digamma_series(z, log_z) - slope / product


@njit(nogil=True, error_model="numpy")
def _trigamma_excess(z):
    """Returns z psi'(z + 1) - 1 for z >= 8; Abramowitz & Stegun (1964), 6.4.12."""
    v = 1.0 / (z * z)
    series = v * (1 / 42 - v * (1 / 30 - v * (5 / 66 - v * (691 / 2730 - v * (7 / 6)))))
    return -0.5 / z + v * (1 / 6 - v * (1 / 30 - series))


@njit(nogil=True, error_model="numpy")
def _scaled_trigamma(x):
    """Returns x psi'(x + 1), x > 0."""
    if x >= SERIES_FROM:
        return 1.0 + _trigamma_excess(x)
    z = x + SHIFT
    shifted = (1.0 + _trigamma_excess(z)) / z
    for j in range(SHIFT, 0, -1):
        shifted += 1.0 / ((x + j) * (x + j))
    return x * shifted


@njit(nogil=True, error_model="numpy")
def _prior(beta, K):
    """dxi/du for u = log beta, xi = psi(K beta + 1) - psi(beta + 1), the prior mean of the entropy."""
    if beta >= SERIES_FROM:
        return _trigamma_excess(K * beta) - _trigamma_excess(beta)
    return _scaled_trigamma(K * beta) - _scaled_trigamma(beta)


@njit(nogil=True, error_model="numpy")
def _rise_and_digamma(n, x, log_x, remainder):
    """Log of Gamma(x + n) / Gamma(x) / x**n, and psi(x + n + 1)."""
    growth = math.log1p(n / x)
    after, digamma = _remainder_and_digamma(x + n, log_x + growth)
    return (x + n - 0.5) * growth - n + after - remainder, digamma


@njit(nogil=True, error_model="numpy")
def _posterior(u, task):
    """The log weight of u = log beta, and the posterior mean of the entropy under Dirichlet(beta, ..., beta).

    weight = rho(n | beta) dxi/du; rho = Gamma(K beta) / Gamma(n + K beta) prod_i Gamma(n_i + beta) / Gamma(beta), here
    times K**n, and each quotient of Gammas as exp(_rise), so that nothing large cancels.
    """
    values, times, n, K = task
    beta = math.exp(u)
    remainder, _ = _remainder_and_digamma(beta, u)
    log_rho, weighted = 0.0, 0.0
    for kind in range(values.shape[0]):
        rise, digamma = _rise_and_digamma(values[kind], beta, u, remainder)
        log_rho += times[kind] * rise
        weighted += times[kind] * (values[kind] + beta) * digamma
    log_total = u + math.log(K)
    remainder, _ = _remainder_and_digamma(K * beta, log_total)
    rise, digamma = _rise_and_digamma(n, K * beta, log_total, remainder)
    return log_rho - rise + math.log(_prior(beta, K)), digamma - weighted / (n + K * beta)


@njit(nogil=True, error_model="numpy")
def _first_guess(row, K):
    """The log of the beta at which two draws coincide as often as they did here, if that makes sense."""
    n = _total(row)
    coincidences = 0.0
    for i in range(row.shape[0]):
        coincidences += row[i] * max(row[i] - 1.0, 0.0)
    rate = coincidences / max(n * (n - 1.0), 1.0)
    beta = (1.0 - rate) / max(K * rate - 1.0, 1.0 / n)
    return min(max(math.log(max(beta, 1e-9)), -math.log(K) - 2.0), math.log(n + 1.0) + 2.0)


@njit(nogil=True, error_model="numpy")
def _top(u, step, task):
    """Where the weight is largest, on the grid through u; and a fitting step, from its curvature there."""
    low, here, high = _posterior(u - step, task)[0], _posterior(u, task)[0], _posterior(u + step, task)[0]
    for _ in range(MOST_STEPS):
        if high > here:
            u, low, here = u + step, here, high
            high = _posterior(u + step, task)[0]
        elif low > here:
            u, here, high = u - step, low, here
            low = _posterior(u - step, task)[0]
        else:
            break
    bend = (here - low) + (here - high)
    return u, step / max(step / WIDEST_STEP, STEPS_PER_WIDTH * math.sqrt(max(bend, 0.0)))


@njit(types.void(Matrix, types.float64, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def plug_in(counts, alpha, out):
    """out[t] = -sum_i p[t, i] log p[t, i], p[t, i] = (counts[t, i] + alpha) / (sum_i counts[t, i] + alpha K), nats."""
    tasks, K = counts.shape
    for t in range(tasks):
        total = alpha * K
        for i in range(K):
            total += counts[t, i]
        entropy = 0.0
        for i in range(K):
            p = (counts[t, i] + alpha) / total
            if p > 0.0:
                entropy -= p * math.log(p)
        out[t] = entropy


@njit(types.void(Matrix, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def miller_madow(counts, out):
    """out[t] = -sum_i p_i log p_i + (m - 1) / (2 n), p_i = n_i / n, m candidates with n_i > 0."""
    tasks, K = counts.shape
    for t in range(tasks):
        n = _total(counts[t])
        entropy, seen = 0.0, 0
        for i in range(K):
            p = counts[t, i] / n
            if p > 0.0:
                entropy -= p * math.log(p)
                seen += 1
        out[t] = entropy + (seen - 1) / (2.0 * n)


@njit(types.void(Matrix, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def grassberger(counts, out):
    """out[t] = log n - sum_i n_i G(n_i) / n, G(n_i) = log 2 + psi(floor(n_i / 2) + 1 / 2)."""
    tasks, K = counts.shape
    for t in range(tasks):
        n = _total(counts[t])
        weighted = 0.0
        for i in range(K):
            count = counts[t, i]
            if count > 0.0:
                weighted += count * (math.log(2.0) + _digamma_after(math.floor(0.5 * count) - 0.5))
        out[t] = math.log(n) - weighted / n


@njit(types.void(Matrix, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def chao_shen(counts, out):
    """out[t] = -sum_i q_i log q_i / (1 - (1 - q_i)**n), q_i = C n_i / n, C = 1 - f_1 / n."""
    tasks, K = counts.shape
    for t in range(tasks):
        n = _total(counts[t])
        singletons = 0
        for i in range(K):
            singletons += counts[t, i] == 1.0
        coverage = 1.0 - min(float(singletons), n - 1.0) / n
        entropy = 0.0
        for i in range(K):
            q = coverage * counts[t, i] / n
            if q >= 1.0:
                break
            if q > 0.0:
                entropy += q * math.log(q) / math.expm1(n * math.log1p(-q))
        out[t] = entropy


@njit(types.void(Matrix, Matrix, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def james_stein(counts, target, out):
    """out[t] = -sum_i q_i log q_i, q = s target + (1 - s) p, s = (1 - sum p**2) / ((n - 1) sum (target - p)**2)."""
    tasks, K = counts.shape
    for t in range(tasks):
        n = _total(counts[t])
        squares = distance = 0.0
        for i in range(K):
            p = counts[t, i] / n
            squares += p * p
            distance += (target[t, i] - p) ** 2
        variance = 1.0 - squares
        share = 1.0 if variance >= (n - 1.0) * distance else max(0.0, variance / ((n - 1.0) * distance))
        entropy = 0.0
        for i in range(K):
            q = share * target[t, i] + (1.0 - share) * counts[t, i] / n
            if q > 0.0:
                entropy -= q * math.log(q)
        out[t] = entropy


@njit(types.void(Matrix, types.float64, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def dirichlet(counts, alpha, out):
    """out[t] = psi(A + 1) - sum_i a_i psi(a_i + 1) / A, a_i = n_i + alpha, A = sum_i a_i."""
    tasks, K = counts.shape
    for t in range(tasks):
        total = _total(counts[t]) + alpha * K
        weighted = 0.0
        for i in range(K):
            a = counts[t, i] + alpha
            weighted += a * _digamma_after(a)
        out[t] = _digamma_after(total) - weighted / total


@njit(types.void(Matrix, types.float64[:, ::1], types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def nsb(counts, scratch, out):
    """out[t] = the mean of `_posterior`'s entropy over u = log beta, by its weight; the rows of counts are sorted.

    The trapezoidal rule converges exponentially: the weight is analytic for |Im u| < pi and falls off exponentially.
    Its step is half the weight's width at the top at most, and grows where tails are left: u = top + s sinh(v / s).
    """
    K = counts.shape[1]
    values, times = scratch
    for t in range(counts.shape[0]):
        kinds = _run_lengths(counts[t], values, times)
        task = values[:kinds], times[:kinds], _total(counts[t]), float(K)
        top, step = _top(_first_guess(counts[t], K), WIDEST_STEP, task)
        if step < WIDEST_STEP:
            top, step = _top(top, step, task)
        scale = STRETCH_AFTER * step
        highest, entropy = _posterior(top, task)
        total, mean = 1.0, entropy
        for side in (-1.0, 1.0):
            before = 1.0
            for j in range(1, MOST_STEPS):
                v = j * step / scale
                weight, entropy = _posterior(top + side * scale * math.sinh(v), task)
                share = math.exp(weight - highest) * math.cosh(v)
                total += share
                mean += share * entropy
                if share < before and share < NEGLIGIBLE * total:
                    break
                before = share
        out[t] = mean / total
