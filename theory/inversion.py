"""The law of a product of independent gamma variables, in numbers with a proved error.

With Y the log of the product and sigma > 0, q(y) = e^(sigma y) P(Y > y) has the Fourier transform
E e^((sigma + it) Y)/(sigma + it), and Poisson's formula gives its sum over a lattice of period P:

    sum_j q(y + j P) = 1/P sum_k E e^((sigma + 2 pi i k/P) (Y - y)) e^(sigma y)/(sigma + 2 pi i k/P).

The terms j != 0 are positive and bounded by Chernoff's inequality, the cut-off terms in k by the decay of
|Gamma(b + it)|, and the sum itself runs in interval arithmetic. For sigma < 0 the same gives P(Y <= y), and without the
divisor the density. The choice of sigma and P, near the saddle point, is a matter of speed alone.
"""

from typing import Any

import mpmath
from attrs import frozen
from mpmath import mpf
from sympy import Expr, Integer, Rational

from theory.balls import Balls, Enclosure, balls

Shapes = tuple[tuple[Expr, int], ...]
"""Shape a and multiplicity of each kind of factor."""


@frozen
class LogPoint:
    """The point y = sum_i weight_i log(number_i) at which a law is asked, exactly."""

    terms: tuple[tuple[int, Expr], ...]

    def ball(self, arithmetic: Balls) -> Any:
        """Return y as a ball."""
        return sum((w * arithmetic.log(arithmetic.number(x)) for w, x in self.terms), arithmetic.number(Integer(0)))

    def near(self) -> Any:
        """Return y to double precision and more."""
        with balls(80) as arithmetic:
            value = arithmetic.bounds(self.ball(arithmetic)).value
        return mpf(int(value.p)) / int(value.q)


def smaller_tail(shapes: Shapes, point: LogPoint, bits: int) -> tuple[int, Enclosure]:
    """Return (1, P(Y > y)) or (-1, P(Y <= y)), whichever lies on the far side of the mean, to about ``bits`` bits."""
    line = _line(shapes, point.near(), bits, pole=1)
    with balls(line.bits) as arithmetic:
        lower, upper = _inverted(line, point, arithmetic)
    return (1 if line.sigma > 0 else -1), Enclosure(max(lower, Integer(0)), min(upper, Integer(1)))


def log_density(shapes: Shapes, point: LogPoint, bits: int) -> Enclosure:
    """Return the density of Y at y, to about ``bits`` bits."""
    line = _line(shapes, point.near(), bits, pole=0)
    with balls(line.bits) as arithmetic:
        lower, upper = _inverted(line, point, arithmetic)
    return Enclosure(max(lower, Integer(0)), upper)


@frozen
class _Line:
    """The line Re s = sigma, its spacing, and the lines ``left`` and ``right`` where Chernoff's bound is taken."""

    shapes: Shapes
    sigma: Expr
    spacing: Expr
    left: Expr
    right: Expr
    pole: int
    """1 for a tail, whose transform carries 1/s, 0 for the density."""
    bits: int
    goal: int


def log_moment(shapes: Shapes, s: Any) -> Any:
    """Return log E e^(s Y) = sum_i log Gamma(a_i + s) - log Gamma(a_i), approximately."""
    return mpmath.fsum(m * (mpmath.loggamma(_real(a) + s) - mpmath.loggamma(_real(a))) for a, m in shapes)


def cumulant(shapes: Shapes, order: int, s: Any) -> Any:
    """Return the cumulant of Y of order 1 (mean), 2 (variance), ... under the law tilted by e^(sY), approximately."""
    return mpmath.fsum(m * mpmath.psi(order - 1, _real(a) + s) for a, m in shapes)


def _real(x: Expr) -> Any:
    return mpf(int(x.p)) / int(x.q)


def _line(shapes: Shapes, y: Any, bits: int, pole: int) -> _Line:
    with mpmath.workprec(80):
        edge = -_real(min(a for a, _ in shapes))
        sigma = _saddle(shapes, y, edge, pole)
        spread = mpmath.sqrt(cumulant(shapes, 2, sigma))
        reach = mpmath.sqrt(2 * bits * mpmath.ln2) / spread
        left = sigma - min(reach, sigma if pole and sigma > 0 else (sigma - edge) * 9 / 10)
        right = sigma + min(reach, -sigma if pole and sigma < 0 else reach)
        period = max(_period(shapes, y, sigma, other, bits) for other in (left, right))
        size = sum(m * abs(mpmath.loggamma(_real(a) + sigma)) + m for a, m in shapes) + abs(sigma * y)
        working = bits + 40 + int(mpmath.log(size + 1, 2))
        spacing = 2 * mpmath.pi / period
    return _Line(shapes, _dyadic(sigma), _dyadic(spacing), _dyadic(left), _dyadic(right), pole, working, bits)


def _saddle(shapes: Shapes, y: Any, edge: Any, pole: int) -> Any:
    """Return nearly the minimum of E e^(s (Y - y)), or of that over s^4, on the side of 0 where the answer is small.

    Away from the pole the period is shorter, and the sum with it.
    """

    def slope(s: Any) -> Any:
        return cumulant(shapes, 1, s) - y - 4 * pole / s

    if cumulant(shapes, 1, mpf(0)) < y:
        low, high = mpf(0), mpf(1)
        while slope(high) < 0:
            low, high = high, 2 * high
    else:
        # Closer to the edge the decay in t is slow, and nothing is gained but digits that interval arithmetic has.
        low, high = edge * 3 / 4, mpf(0)
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return (low + high) / 2


def _period(shapes: Shapes, y: Any, sigma: Any, other: Any, bits: int) -> Any:
    """Return the period at which Chernoff's bound on the aliases of one side falls below 2^-bits of the scale."""
    here, there = (log_moment(shapes, s) - s * y for s in (sigma, other))
    return (bits * mpmath.ln2 + there - here + 2) / abs(other - sigma)


def _dyadic(x: Any) -> Expr:
    """Return a fraction of 30 bits near x, towards 0."""
    if x == 0:
        return Integer(0)
    exponent = int(mpmath.floor(mpmath.log(abs(x), 2))) - 30
    return int(mpmath.ldexp(x, -exponent)) * Rational(2) ** exponent


def _inverted(line: _Line, point: LogPoint, arithmetic: Balls) -> tuple[Expr, Expr]:
    """Return bounds of the tail or density."""
    y = point.ball(arithmetic)
    total, rest = _sum(line, y, arithmetic)
    sign = -1 if line.pole and line.sigma < 0 else 1
    scale = arithmetic.exp(_log_chernoff(line, line.sigma, y, arithmetic)) / arithmetic.constant("pi")
    aliases = sum(_aliases(line, other, y, arithmetic) for other in (line.left, line.right))
    above = arithmetic.bounds(scale * (sign * total + rest)).upper
    below = arithmetic.bounds(scale * (sign * total - rest) - aliases).lower
    return below, above


def _sum(line: _Line, y: Any, arithmetic: Balls) -> tuple[Any, Any]:
    """Return h (w_0/2 + sum_(k>=1) Re w_k) and a bound on what is cut off, w_k the transform at sigma + ikh over its
    maximum.
    """
    sigma, h = arithmetic.number(line.sigma), arithmetic.number(line.spacing)
    factors = [(m, b := arithmetic.number(a) + sigma, arithmetic.real_lgamma(b)) for a, m in line.shapes]
    total = (1 / sigma if line.pole else 1 + 0 * sigma) / 2
    for k in range(1, 10**7):
        t = k * h
        growth = sum(m * (arithmetic.lgamma(arithmetic.point(b, t)) - top) for m, b, top in factors)
        divisor = arithmetic.point(sigma, t) if line.pole else 1
        total = total + arithmetic.real(arithmetic.exp(growth - arithmetic.point(0, t * y)) / divisor)
        rest = arithmetic.exp(arithmetic.real(growth)) / _decay(factors, t) / (t if line.pole else 1)
        if rest < abs(total) * h * arithmetic.number(Rational(2) ** -line.goal):
            return total * h, rest
    raise ArithmeticError("the sum did not settle: ask for fewer digits")


def _decay(factors: Any, t: Any) -> Any:
    """Return a lower bound of -d/dt sum_i log|Gamma(b_i + it)|, which grows with t.

    Im psi(b + it) = sum_j t/((b + j)^2 + t^2) > arctan(t/b) > t/|b + it| > t/(b + t).
    """
    return sum(m * t / (b + t) for m, b, _ in factors)


def _log_chernoff(line: _Line, s: Expr, y: Any, arithmetic: Balls) -> Any:
    """Return log E e^(s (Y - y))."""
    numbers = [(m, arithmetic.number(a), arithmetic.number(a + s)) for a, m in line.shapes]
    moment = sum(m * (arithmetic.real_lgamma(b) - arithmetic.real_lgamma(a)) for m, a, b in numbers)
    return moment - arithmetic.number(s) * y


def _aliases(line: _Line, other: Expr, y: Any, arithmetic: Balls) -> Any:
    """Return a bound on the sum over j > 0 (``other`` right of sigma) or j < 0 of the values at y + jP."""
    gap = arithmetic.number(abs(other - line.sigma))
    ratio = arithmetic.exp(-gap * 2 * arithmetic.constant("pi") / arithmetic.number(line.spacing))
    bound = arithmetic.exp(_log_chernoff(line, other, y, arithmetic)) * ratio / (1 - ratio)
    return bound if line.pole else bound * _density_bound(line, other, arithmetic)


def _density_bound(line: _Line, s: Expr, arithmetic: Balls) -> Any:
    """Return a bound on e^(sy) f(y)/E e^(sY) for every y: 1/pi int_0^oo |E e^((s+it)Y)| dt/E e^(sY), cut at t = h."""
    t = arithmetic.number(line.spacing)
    factors = [(m, arithmetic.number(a + s), None) for a, m in line.shapes]
    return (t + 1 / _decay(factors, t)) / arithmetic.constant("pi")
