"""`law`: the distribution of the fitted variance at generation n, in symbols and in numbers with a proved error.

V_n is the source's V0 times independent gamma factors, so its Mellin transform is a product of Gamma functions, its
density a Meijer G-function, and log V_n a sum of independent terms.
"""

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any

from attrs import evolve, frozen
from sympy import (
    Add,
    Expr,
    Gt,
    I,
    Integer,
    Lambda,
    Mul,
    Product,
    S,
    Sum,
    Symbol,
    gamma,
    log,
)

from theory import symbols
from theory.errors import NoClosedForm
from theory.exact import exact
from theory.latex import latex
from theory.loop import Loop
from theory.meijer import MeijerProduct, MeijerProductIntegral
from theory.numeric_law import NumericLaw
from theory.walk import Walk, k, walk, whole_walk

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

    >>> from sympy import Rational
    >>> from theory import Gaussian, Unbiased
    >>> loop = Loop(Gaussian(), estimator=Unbiased())
    >>> law(loop).mellin
    V0**s*((2/(M - 1))**s*gamma(M/2 + s - 1/2)/gamma(M/2 - 1/2))**n
    >>> print(law(loop).at(n=400, M=100, V0=1).sf(Rational(1, 100)))
    0.576934349756779869... +- ...e-19
    """
    return FittedLaw(loop, whole_walk(loop))


def tail(loop: Loop) -> "FittedLaw":
    """Return the law of how far a point of model n lies out, so that its ``sf`` is the mass of the model's tail.

    E P(r > h | model n) = P(V_n scale Gamma > h): a point's r is the fitted parameter times one gamma variable more.
    For a Gaussian r = (x - mu_n)^2, from the model's own mean, so that ``sf(h**2)`` is the mass beyond mu_n +- h; for
    exponential and gamma laws r = x.

    Raises:
        NotClosed: a loop without such a `law`, or a family whose points are no such multiple.

    >>> from theory import Gaussian
    >>> print(tail(Loop(Gaussian(0, 1))).at(n=0).sf(4, digits=5), tail(Loop(Gaussian(0, 1))).at(n=100, M=100).sf(4, 5))
    0.04550026414 +- 4.2e-10 0.01435981356 +- 1.4e-10
    """
    found = whole_walk(loop)
    r, shape, scale = loop.law.reach()
    return FittedLaw(loop, found, point=Walk(r, S.One, shape, scale))


@frozen(eq=False)
class FittedLaw:
    """The law of V_n = V0 prod_(k=1..n) scale_k Gamma_k, the factors independent, Gamma_k ~ Gamma(shape_k, 1).

    Exact in the symbols; ``at`` puts numbers in, and with all of them returns a `NumericLaw`. It is the law over the
    ensemble of runs.
    """

    loop: Loop
    walk: Walk
    generation: Expr = symbols.n
    point: Walk | None = None
    """The factor of one point more, where the law is that of a point of model n and not of V_n; see `tail`."""

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
        last = Counter(self._last)
        if self.walk.steady:
            return Counter({self.walk: n}) + last
        return Counter(walk(self.loop, Integer(j)) for j in range(1, n + 1)) + last

    @property
    def _last(self) -> tuple[Walk, ...]:
        return () if self.point is None else (self.point,)

    def _product(self, of: Callable[[Walk], Expr]) -> Expr:
        """Return prod_(k=1..n) of(factor k), the point's factor with them."""
        if self.generation.is_Integer:
            return Mul(*(of(one) ** many for one, many in self.factors.items()))
        one = of(self.walk)
        product = one**self.generation if self.walk.steady else Product(one, (k, 1, self.generation))
        return Mul(product, *map(of, self._last))

    def _total(self, of: Callable[[Walk], Expr]) -> Expr:
        """Return sum_(k=1..n) of(factor k), the point's factor with them."""
        if self.generation.is_Integer:
            return Add(*(many * of(one) for one, many in self.factors.items()))
        one = of(self.walk)
        total = self.generation * one if self.walk.steady else Sum(one, (k, 1, self.generation))
        return Add(total, *map(of, self._last))

    @property
    def _z(self) -> Expr:
        return x / (self.walk.start * self._product(lambda one: one.scale))

    def _meijer(self, kind: type[MeijerProduct], z: Expr) -> Expr:
        if self.generation.is_Integer:
            return kind.of([one.shape for one in self.factors.elements()], z)
        if self.point is not None:
            raise NoClosedForm(
                "the law of a point has a parameter of its own beside the n of the fits, and no name for a symbolic n. "
                "Put the generation in with .at(n=...), or read .mellin."
            )
        return kind(self.generation, Lambda(k, self.walk.shape), z)

    def at(self, **values: Any) -> Any:
        """Return the law with exact values put in by name, ``n`` among them: a `FittedLaw`, or, when nothing is left
        open, a `NumericLaw`.

        >>> from theory import Gaussian
        >>> law(Loop(Gaussian())).at(n=2).pdf
        meijerg(((), ()), ((M/2 - 1/2, M/2 - 1/2), ()), M**2*x/(4*V0))/(x*gamma(M/2 - 1/2)**2)
        """
        generation = exact(values.pop("n", self.generation), "n")
        first = 1 if self.point is None else 0
        if generation.is_number and not (generation.is_Integer and generation >= first):
            raise ValueError(
                f"n = {generation} is no generation with a law of its own: model 0 is the source. "
                f"Give a whole n >= {first}."
            )
        again = law if self.point is None else tail
        here = evolve(again(self.loop.at(**values)) if values else self, generation=generation)
        return here if here.free_symbols else NumericLaw(here)

    @property
    def free_symbols(self) -> set[Any]:
        """The symbols that are left open."""
        if not self.generation.is_Integer:
            return self.generation.free_symbols.union(*map(self._open, (self.walk, *self._last))) - {k}
        return set().union(*map(self._open, self.factors))

    def _open(self, one: Walk) -> set[Any]:
        return self.walk.start.free_symbols | one.shape.free_symbols | one.scale.free_symbols

    def _repr_latex_(self) -> str:
        if self.point is not None:
            return rf"$\mathbb{{E}}\left[{latex(self.point.parameter**s)}\right] = {latex(self.mellin)}$"
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


def _gamma_of_shape(one: Walk) -> Expr:
    """Return Gamma(shape), left as it is where the number would have many digits."""
    return gamma(one.shape, evaluate=not (one.shape.is_number and one.shape > 20))
