"""Logarithm, exponential, and the point of a circle, as sums and products of floats, in float32 and float64.

A compiler turns plain arithmetic into whole vectors, where a call to a library of functions is one number at a time;
and the same arithmetic has the same bits in every version of it. Each polynomial interpolates at Chebyshev's nodes.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import Array, lax


@frozen
class Format:
    """A floating-point format with its polynomials.

    Args:
        bits: the unsigned integer of the same width.
        mantissa: bits of the fraction.
        bias: of the exponent.
        cosine: cos(pi f) in f^2, -1/2 <= f <= 1/2.
        sine: sin(pi f)/f in f^2.
        log: (log(1 + m) - m)/m^2, 1/sqrt(2) <= 1 + m <= sqrt(2).
        exp: (exp(r) - 1)/r, |r| <= log(2)/2.
        split: log(2) as two floats, the first short enough for exact multiples.
        range: log of what exp takes to 0 and to infinity.
    """

    bits: Any
    mantissa: int
    bias: int
    cosine: Sequence[float]
    sine: Sequence[float]
    log: Sequence[float]
    exp: Sequence[float]
    split: tuple[float, float]
    range: tuple[float, float]


SINGLE = Format(
    np.int32,
    23,
    127,
    (
        0.999999999779154,
        -4.934802136928946,
        4.058709154763134,
        -1.3352119493905503,
        0.2349370685950865,
        -0.0243959320975,
    ),
    (3.1415926400772034, -5.167710076668315, 2.550077386528912, -0.5982904112834275, 0.07765591227601387),
    (
        *(-0.4999999764977098, 0.33333330028354796, -0.25000781239812697, 0.20001234461093456, -0.16626645629127462),
        *(0.14204855952571013, -0.1312755565128765, 0.1272267278801096, -0.07673641501674025),
    ),
    (1.00000001077157, 0.5000000013457727, 0.16666505260408, 0.041666465006040, 0.0083691484908563, 0.0013933641031987),
    (0.693145751953125, 1.4286068203094172e-06),
    (-88.0, 89.0),
)
DOUBLE = Format(
    np.int64,
    52,
    1023,
    (
        *(1.0, -4.934802200544679, 4.0587121264167685, -1.3352627688545895, 0.23533063035889057, -0.0258068913899647),
        *(0.0019295743088292205, -0.00010463810062667314, 4.303048928191089e-06, -1.3872781244548443e-07),
        3.500312073703762e-09,
    ),
    (
        *(3.141592653589793, -5.16771278004997, 2.5501640398773455, -0.5992645293207869, 0.08214588661099356),
        *(-0.007370430943702136, 0.0004663027874593273, -2.1915250301851375e-05, 7.94853903737232e-07),
        -2.228371216069697e-08,
    ),
    (
        *(-0.5, 0.33333333333333337, -0.25000000000000194, 0.1999999999999723, -0.1666666666659898),
        *(0.14285714286182802, -0.12500000009211296, 0.11111111078780506, -0.09999999357772923, 0.0909091001546041),
        *(-0.0833335904019828, 0.07692307267345581, -0.07142239652272084, 0.066660095080847, -0.06258813397201818),
        *(0.059001086728995816, -0.054876135532155916, 0.05047506895817194, -0.05177016329933149, 0.059923758640456556),
        *(-0.0537484649639652, 0.0225816753481919),
    ),
    (
        *(1.0, 0.5, 0.1666666666666668, 0.04166666666666668, 0.008333333333319601, 0.0013888888888879082),
        *(0.00019841269890047113, 2.480158733642132e-05, 2.755724091857897e-06, 2.755726330147475e-07),
        *(2.5110037605963777e-08, 2.0918129454967065e-09),
    ),
    (0.6931471803691238, 1.9082149292705877e-10),
    (-709.0, 710.0),
)


def form(x: Any) -> Format:
    """Return the format of an array or a type."""
    return DOUBLE if jnp.dtype(getattr(x, "dtype", x)).itemsize == 8 else SINGLE


def polynomial(coefficients: Any, x: Array) -> Array:
    """Return sum_j c_j x^j by Horner's rule, coefficients in any sequence or along the first axis."""
    total = jnp.asarray(coefficients[len(coefficients) - 1], x.dtype)
    for j in range(len(coefficients) - 2, -1, -1):
        total = total * x + jnp.asarray(coefficients[j], x.dtype)
    return total


def chebyshev(coefficients: Any, x: Array) -> Array:
    """Return sum_j c_j T_j(x) by Clenshaw's rule, which stays exact where powers of x cancel."""
    twice, after, before = x + x, jnp.zeros_like(x), jnp.zeros_like(x)
    for j in range(len(coefficients) - 1, 0, -1):
        after, before = twice * after + (jnp.asarray(coefficients[j], x.dtype) - before), after
    return x * after + (jnp.asarray(coefficients[0], x.dtype) - before)


def log(x: Array) -> Array:
    """Return log x for x >= 0, NaN below; numbers below the smallest normal one are 0 here."""
    value = jnp.where(x < jnp.inf, log_of_normal(x), x)
    return jnp.where(x >= np.finfo(x.dtype).tiny, value, jnp.where(x >= 0, -jnp.inf, jnp.nan))


def log_of_normal(x: Array) -> Array:
    """Return log x for a normal number x > 0: log(2^e (1 + m)) = e log 2 + m + m^2 q(m)."""
    e, m = _parts(x)
    return _log(e, m, polynomial(form(x).log, m))


def log_rest(x: Array) -> Array:
    """Return (log(1 + x) - x)/x^2 for x > -1, -1/2 at 0: the polynomial of `log` itself where 1 + x is near 1."""
    e, m = _parts(1 + x)
    m = jnp.where(e == 0, x, m)
    near = polynomial(form(x).log, m)
    return jnp.where(e == 0, near, (_log(e, m, near) - x) / (x * x))


def _parts(x: Array) -> tuple[Array, Array]:
    """Return e and m of a normal number x = 2^e (1 + m) > 0, 1/sqrt(2) <= 1 + m <= sqrt(2)."""
    f = form(x)
    one = np.asarray(np.sqrt(0.5), x.dtype).view(f.bits)
    shifted = lax.bitcast_convert_type(x, f.bits) - one
    e = (shifted >> f.bits(f.mantissa)).astype(x.dtype)
    return e, lax.bitcast_convert_type((shifted & f.bits(2**f.mantissa - 1)) + one, x.dtype) - 1


def _log(e: Array, m: Array, q: Array) -> Array:
    """Return e log 2 + m + m^2 q."""
    upper, lower = (jnp.asarray(part, m.dtype) for part in form(m).split)
    return e * upper + (m + (m * m * q + e * lower))


def exp(x: Array) -> Array:
    """Return exp(x) = 2^k (1 + r p(r)), r = x - k log 2; 0 below the smallest normal number."""
    return _exp(x, form(x).exp)


def short_exp(x: Array) -> Array:
    """Return exp(x) to 8 digits, in either format."""
    return _exp(x, SINGLE.exp)


def _exp(x: Array, coefficients: Sequence[float]) -> Array:
    f, real = form(x), lambda value: jnp.asarray(value, x.dtype)
    x = jnp.where(x < f.range[0], real(f.range[0]), x)
    x = jnp.where(x > f.range[1], real(f.range[1]), x)
    k = jnp.floor(x * real(np.log2(np.e)) + real(0.5))
    r = x - k * real(f.split[0]) - k * real(f.split[1])
    power = lax.bitcast_convert_type((k.astype(f.bits) + f.bits(f.bias)) << f.bits(f.mantissa), x.dtype)
    return (r * polynomial(coefficients, r) + 1) * power


def circle(word: Array, radius: Array, finer: Array | None = None) -> tuple[Array, Array]:
    """Return radius (cos, sin) of the angle pi (f + s), a word of 32 bits, each of 2^32 equally spaced angles once.

    The highest bit is s, the others are f, -1/2 <= f < 1/2, and a second word has 32 more bits of f.
    """
    f, width = form(radius), 8 * radius.dtype.itemsize
    half = lax.bitcast_convert_type(word << np.uint32(1), jnp.int32).astype(radius.dtype)
    half = half * jnp.asarray(2.0**-32, radius.dtype)
    if finer is not None:
        half = half + finer.astype(radius.dtype) * jnp.asarray(2.0**-63, radius.dtype)
    sign = (word >> np.uint32(31)).astype(f.bits) << f.bits(width - 1)
    radius = lax.bitcast_convert_type(lax.bitcast_convert_type(radius, f.bits) ^ sign, radius.dtype)
    square = half * half
    return radius * polynomial(f.cosine, square), radius * (half * polynomial(f.sine, square))
