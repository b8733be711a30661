"""`law`: the distribution of the fitted variance at generation n, in symbols and in numbers with a proved error.

V_n is the source's V0 times independent gamma factors, so its Mellin transform is a product of Gamma functions, its
density a Meijer G-function, and log V_n a sum of independent terms.
"""

import math
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any

import mpmath
from attrs import evolve, frozen
from mpmath import mpf
from mpmath.libmp import to_rational
from sympy import (
    Add,
    Expr,
    Gt,
    I,
    Integer,
    Lambda,
    Mul,
    Product,
    Rational,
    S,
    Sum,
    Symbol,
    gamma,
    log,
)

from theory import symbols
from theory.balls import Enclosure
from theory.exact import exact
from theory.inversion import LogPoint, Shapes, cumulant, log_density, smaller_tail
from theory.latex import latex
from theory.loop import Loop
from theory.meijer import MeijerProduct, MeijerProductIntegral
from theory.walk import Walk, k, walk

x = Symbol("x", positive=True)
"""Where a density or a distribution function is taken."""
s = Symbol("s")
"""Order of a moment, complex."""
t = Symbol("t", real=True)
"""Argument of the characteristic function."""


def law(loop: Loop) -> "FittedLaw":
    """Return the law of the fitted variance of model n, for a loop that multiplies it by independent gamma factors.

    Raises:
        NotClosed: a family or regime where the next variance is no such multiple of the last.

    >>> from theory import Gaussian, Unbiased
    >>> loop = Loop(Gaussian(), estimator=Unbiased())
    >>> law(loop).mellin
    V0**s*((2/(M - 1))**s*gamma(M/2 + s - 1/2)/gamma(M/2 - 1/2))**n
    >>> print(law(loop).at(n=400, M=100, V0=1).sf(Rational(1, 100)))
    0.576934349756779869... +- ...e-19
    """
    return FittedLaw(loop, walk(loop))


@frozen(eq=False)
class FittedLaw:
    """The law of V_n = V0 prod_(k=1..n) scale_k Gamma_k, the factors independent, Gamma_k ~ Gamma(shape_k, 1).

    Exact in the symbols; ``at`` puts numbers in, and with all of them returns a `NumericLaw`. It is the law over the
    ensemble of runs.
    """

    loop: Loop
    walk: Walk
    generation: Expr = symbols.n

    @property
    def mellin(self) -> Expr:
        """E[V_n^s] = V0^s prod_k scale_k^s Gamma(shape_k + s)/Gamma(shape_k), for Re s > -shape_k; it determines the
        law.
        """
        return self.walk.start**s * self._product(lambda one: one.moment(s))

    @property
    def characteristic(self) -> Expr:
        """E[exp(i t log V_n)], the Mellin transform at s = it."""
        return self.mellin.subs(s, I * t)

    @property
    def pdf(self) -> Expr:
        """f(x) = G^{n,0}_{0,n}(z | -; shapes)/(x prod_k Gamma(shape_k)), z = x/(V0 prod_k scale_k), for x > 0."""
        return self._meijer(MeijerProduct, self._z) / (x * self._product(_gamma_of_shape))

    @property
    def cdf(self) -> Expr:
        """F(x) = G^{n,1}_{1,n+1}(z | 1; shapes, 0)/prod_k Gamma(shape_k), with the same z."""
        return self._meijer(MeijerProductIntegral, self._z) / self._product(_gamma_of_shape)

    @property
    def log_mean(self) -> Expr:
        """E[log V_n] = log V0 + sum_k (psi(shape_k) + log scale_k)."""
        return log(self.walk.start) + self._total(lambda one: one.log_mean)

    @property
    def log_variance(self) -> Expr:
        """Var[log V_n] = sum_k psi_1(shape_k)."""
        return self._total(lambda one: one.log_variance)

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """What must hold for the symbols."""
        condition = Gt(self.walk.shape, 0)
        return () if condition == S.true else (condition,)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the derivation takes for granted."""
        return self.loop.law.assumptions()

    @cached_property
    def factors(self) -> Counter[Walk]:
        """How often each factor occurs up to a whole generation n."""
        n = int(self.generation)
        if self.walk.steady:
            return Counter({self.walk: n})
        return Counter(walk(self.loop, Integer(j)) for j in range(1, n + 1))

    def _product(self, of: Callable[[Walk], Expr]) -> Expr:
        """Return prod_(k=1..n) of(factor k)."""
        if self.generation.is_Integer:
            return Mul(*(of(one) ** many for one, many in self.factors.items()))
        one = of(self.walk)
        return one**self.generation if self.walk.steady else Product(one, (k, 1, self.generation))

    def _total(self, of: Callable[[Walk], Expr]) -> Expr:
        """Return sum_(k=1..n) of(factor k)."""
        if self.generation.is_Integer:
            return Add(*(many * of(one) for one, many in self.factors.items()))
        one = of(self.walk)
        return self.generation * one if self.walk.steady else Sum(one, (k, 1, self.generation))

    @property
    def _z(self) -> Expr:
        return x / (self.walk.start * self._product(lambda one: one.scale))

    def _meijer(self, kind: type[MeijerProduct], z: Expr) -> Expr:
        if self.generation.is_Integer:
            return kind.of([one.shape for one in self.factors.elements()], z)
        return kind(self.generation, Lambda(k, self.walk.shape), z)

    def at(self, **values: Any) -> Any:
        """Return the law with exact values put in by name, ``n`` among them: a `FittedLaw`, or, when nothing is left
        open, a `NumericLaw`.

        >>> from theory import Gaussian
        >>> law(Loop(Gaussian())).at(n=2).pdf
        meijerg(((), ()), ((M/2 - 1/2, M/2 - 1/2), ()), M**2*x/(4*V0))/(x*gamma(M/2 - 1/2)**2)
        """
        generation = exact(values.pop("n", self.generation), "n")
        if generation.is_number and not (generation.is_Integer and generation >= 1):
            raise ValueError(
                f"n = {generation} is no generation with a law of its own: model 0 is the source. Give a whole n >= 1."
            )
        here = evolve(law(self.loop.at(**values)) if values else self, generation=generation)
        return here if here.free_symbols else NumericLaw(here)

    @property
    def free_symbols(self) -> set[Any]:
        """The symbols that are left open."""
        if not self.generation.is_Integer:
            return self.generation.free_symbols | self._open(self.walk) - {k}
        return set().union(*map(self._open, self.factors))

    def _open(self, one: Walk) -> set[Any]:
        return self.walk.start.free_symbols | one.shape.free_symbols | one.scale.free_symbols

    def _repr_latex_(self) -> str:
        name = f"{latex(self.walk.parameter)}_{{{latex(self.generation)}}}"
        z = Symbol("z", positive=True)
        density, integral = (latex(self._meijer(kind, z)) for kind in (MeijerProduct, MeijerProductIntegral))
        gammas = latex(self._product(_gamma_of_shape))
        scale = self.walk.start * self._product(lambda one: one.scale)
        ratio = latex(self._z) if self.generation.is_Integer else rf"\frac{{x}}{{{latex(scale)}}}"
        rows = (
            rf"f_{{{name}}}(x) &= \frac{{{density}}}{{x \, {gammas}}}",
            rf"F_{{{name}}}(x) &= \frac{{{integral}}}{{{gammas}}}, \qquad z = {ratio}",
            rf"\mathbb{{E}}\left[{name}^{{s}}\right] &= {latex(self.mellin)}",
        )
        return r"$\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}$"


@frozen(eq=False)
class NumericLaw:
    """The law of V_n where everything is a number: every answer is an `Enclosure`, proved by interval arithmetic.

    ``digits`` asks for that many digits of the smaller tail or of the density; what was reached stands in the answer.
    The standard deviation sigma_n goes through V_n: P(sigma_n > a) = sf(a^2).
    """

    law: FittedLaw

    def _repr_latex_(self) -> str:
        low, middle, high = (self.quantile(Rational(k, 20)) for k in (1, 10, 19))
        return rf"$V_n:\quad \text{{5 \%: }} {low},\quad \text{{median: }} {middle},\quad \text{{95 \%: }} {high}$"

    @cached_property
    def _parts(self) -> Shapes:
        counts: Counter[Expr] = Counter()
        for one, many in self.law.factors.items():
            counts[one.shape] += many
        return tuple(counts.items())

    def _point(self, at: Expr) -> LogPoint:
        """Return log(x/(V0 prod scale_k)), in which the product of Gamma_k is asked."""
        scales = tuple((-many, one.scale) for one, many in self.law.factors.items())
        return LogPoint(((1, at), (-1, self.law.walk.start), *scales))

    def cdf(self, at: Any, digits: int = 15) -> Enclosure:
        """Return P(V_n <= x)."""
        above = self.sf(at, digits)
        return Enclosure(1 - above.upper, 1 - above.lower)

    def sf(self, at: Any, digits: int = 15) -> Enclosure:
        """Return P(V_n > x)."""
        value = _number(at, "x")
        if not value.is_positive:
            return Enclosure(S.One, S.One)
        side, tail = smaller_tail(self._parts, self._point(value), _bits(digits))
        return tail if side > 0 else Enclosure(1 - tail.upper, 1 - tail.lower)

    def pdf(self, at: Any, digits: int = 15) -> Enclosure:
        """Return the density of V_n at a rational x > 0."""
        value = _number(at, "x")
        if not (value.is_Rational and value > 0):
            raise ValueError(f"x = {at}: the density is asked at a positive fraction. Give one, Rational(1, 10) say.")
        density = log_density(self._parts, self._point(value), _bits(digits))
        return Enclosure(density.lower / value, density.upper / value)

    def median(self, digits: int = 15) -> Enclosure:
        """Return the x that V_n exceeds with probability 1/2."""
        return self.quantile(Rational(1, 2), digits)

    def quantile(self, p: Any, digits: int = 15) -> Enclosure:
        """Return the x with P(V_n <= x) = p, between two points where the enclosed distribution function lies on either
        side of p.

        Raises:
            ValueError: p not strictly between 0 and 1.
        """
        chance = _number(p, "p")
        if not (chance.is_Rational and 0 < chance < 1):
            raise ValueError(f"p = {p}: a quantile belongs to a fraction between 0 and 1. Give 0 < p < 1.")
        with mpmath.workprec(_bits(digits) + 60):
            middle = self._near_quantile(chance, digits)
        margin = Rational(1, 10**digits)
        while margin < 1:
            lower, upper = middle * (1 - margin), middle * (1 + margin)
            if self.cdf(lower, digits + 3).upper <= chance <= self.cdf(upper, digits + 3).lower:
                return Enclosure(lower, upper)
            margin *= 8
        raise ArithmeticError(f"the quantile at p = {p} is not enclosed with {digits} digits. Ask for more digits.")

    def _near_quantile(self, p: Expr, digits: int) -> Expr:
        """Return a fraction near the quantile, by Newton's method on the log of a tail, which is concave.

        It starts at the mean of log V_n and at most doubles the distance from there, since the upper tail falls as
        exp(-V).
        """
        mean = cumulant(self._parts, 1, mpf(0)) - self._point(S.One).near()
        spread = mpmath.sqrt(cumulant(self._parts, 2, mpf(0)))
        upwards = 1 if self.cdf(_fraction(mean)).value < p else -1
        goal = mpmath.log(_mpf(1 - p if upwards > 0 else p))
        y, step = mean, mpmath.inf
        while abs(step) > mpf(10) ** -6:
            step = self._newton(y, upwards, goal, 8)
            y += mpmath.sign(step) * min(abs(step), max(spread, abs(y - mean)))
        step = mpmath.inf
        while abs(step) > mpf(10) ** (-digits // 2 - 2):
            step = self._newton(y, upwards, goal, digits + 3)
            y += step
        return _fraction(y)

    def _newton(self, y: Any, upwards: int, goal: Any, digits: int) -> Any:
        """Return the step from y = log x to where the tail's logarithm would be ``goal`` along its tangent."""
        here = self._point(_fraction(y))
        side, tail = smaller_tail(self._parts, here, _bits(digits))
        mass = _mpf(tail.value if side == upwards else 1 - tail.value)
        return upwards * (mpmath.log(mass) - goal) * mass / _mpf(log_density(self._parts, here, _bits(digits)).value)


def _gamma_of_shape(one: Walk) -> Expr:
    """Return Gamma(shape), left as it is where the number would have many digits."""
    return gamma(one.shape, evaluate=not (one.shape.is_number and one.shape > 20))


def _fraction(y: Any) -> Expr:
    """Return e^y as a fraction."""
    return Rational(*map(int, to_rational(mpmath.exp(y)._mpf_)))


def _mpf(value: Expr) -> Any:
    return mpf(int(value.p)) / int(value.q)


def _number(value: Any, name: str) -> Expr:
    number = exact(value, name)
    if not number.is_number:
        raise ValueError(f"{name} = {value} is no number. Put one in, or read the symbolic pdf and cdf of law(loop).")
    return number


def _bits(digits: int) -> int:
    if not (isinstance(digits, int) and digits >= 1):
        raise ValueError(f"digits = {digits} is no number of digits. Give a whole number >= 1.")
    return math.ceil(digits * math.log2(10)) + 10
