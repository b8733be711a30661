"""`Loop`: one frozen value that declares a self-consuming loop. Everything else interprets it."""

from collections.abc import Iterator
from typing import Any, Literal, Self

from attrs import evolve, field, frozen
from sympy import Expr, S, Symbol, oo

from theory import symbols
from theory.axes import free_symbols, substituted
from theory.estimators import MLE, Estimator
from theory.exact import exact
from theory.families.base import Family
from theory.filters import SpectralFilter
from theory.regimes import Part, Regime, Replace, Schedule
from theory.sampling import Faithful, Sampling

ErrorSource = Literal["statistical", "expressivity", "approximation"]


def _samples(value: object) -> Expr:
    samples = exact(value, "samples")
    if samples == oo or not samples.is_number:
        return samples
    if not samples.is_Integer or samples < 1:
        raise ValueError(
            f"samples = {samples}: a generation has a whole number of points. Give an integer >= 1, or oo."
        )
    return samples


@frozen
class Loop:
    """Fit ``family`` to ``samples`` points per generation, sample from the fit, fit again.

    Args:
        family: the parametric family that is fitted, with its source unless ``source`` is given.
        estimator: how parameters are fitted; maximum likelihood by default.
        regime: which data each fit sees; replace by default.
        sampling: how points are drawn from a fitted model; faithfully by default.
        samples: M, an integer >= 1 (>= 2 for an unbiased variance), the symbol M, or oo for the population limit.
        source: the law of generation 0 where it lies outside the family (functional expressivity).

    Raises:
        ValueError: an axis of the wrong kind, or a combination that describes no loop.

    >>> from theory import Gaussian
    >>> Loop(Gaussian()).at(M=100).samples
    100
    """

    family: Family
    estimator: Estimator = field(factory=MLE, kw_only=True)
    regime: Regime = field(factory=Replace, kw_only=True)
    sampling: Sampling = field(factory=Faithful, kw_only=True)
    samples: Expr = field(default=symbols.M, converter=_samples, kw_only=True)
    source: Family | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse what is no loop."""
        for name, kind in _AXES.items():
            if not isinstance(given := getattr(self, name), kind):
                parentheses = f", with parentheses: {given.__name__}()" if isinstance(given, type) else ""
                raise ValueError(f"{name} = {given!r} is no {kind.__name__}. Give one{parentheses}.")
        if self.source is not None:
            self.family.project(self.source)
        self._check_estimator()
        self._check_counts()

    def _check_estimator(self) -> None:
        if isinstance(self.estimator, SpectralFilter):
            self.estimator.require_design(self.family)
        if not self.estimator.suits(self.family):
            raise ValueError(f"{self.estimator.misfit(self.family)}. Use MLE().")
        if self.family.has_variance and self.samples.is_Integer:
            self._check_divisor(self.samples)

    def _check_divisor(self, size: Expr) -> None:
        divisor = self.estimator.divisor(size)
        if divisor.is_positive is False or divisor.is_finite is False:
            raise ValueError(
                f"{self.estimator} divides the sum of squares of {size} points by {divisor}, which is no variance. "
                "Take more samples per generation."
            )

    def _check_counts(self) -> None:
        if self.samples.is_infinite:
            return
        for part in self._parts():
            if part.size.is_number and not part.size.is_Integer:
                raise ValueError(
                    f"{self.regime} of samples = {self.samples} asks for {part.size} {part.origin} points. "
                    "Choose a share that gives a whole number."
                )
            if self.family.has_variance and isinstance(self.regime, Schedule) and part.size.is_Integer:
                self._check_divisor(part.size)

    def _parts(self) -> Iterator[Part]:
        """Yield the parts of the first fit, of fit n, and of every fit that is listed."""
        listed = getattr(self.regime, "sizes", ())
        fits = range(1, 1 + (len(listed) if isinstance(listed, tuple) else 1))
        for k in (*map(S, fits), symbols.n):
            yield from self.regime.parts(self.samples, k)

    @property
    def law(self) -> Family:
        """The family with the source projected into it: what generation 0 is, seen through the family."""
        return self.family if self.source is None else self.family.project(self.source)

    def at(self, **values: Any) -> Self:
        """Return the loop with exact values put in for its symbols, by name: ``loop.at(M=100, alpha=Rational(1, 10))``.

        Raises:
            ValueError: a float, or a name that is no symbol of the loop.
        """
        known = {s.name: s for s in self.free_symbols}
        exacts = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(
                    f"the loop has no symbol {name!r}. Its symbols are {', '.join(sorted(known)) or 'none'}."
                )
            exacts[known[name]] = exact(value, name)
        return self.substitute(exacts)

    @property
    def free_symbols(self) -> set[Symbol]:
        """Every symbol of every axis."""
        axes = (self.samples, self.estimator, self.regime, self.sampling)
        found = set().union(*map(free_symbols, axes)) - {symbols.n}
        return found | (self.source or self.family).free_symbols | self.law.free_symbols

    def substitute(self, values: dict[Symbol, Expr]) -> Self:
        """Return the loop with exact values put in for symbols."""
        return evolve(
            self,
            family=self.family.substitute(values),
            estimator=substituted(self.estimator, values),
            regime=substituted(self.regime, values),
            sampling=substituted(self.sampling, values),
            samples=self.samples.subs(values),
            source=None if self.source is None else self.source.substitute(values),
        )

    def without(self, source: ErrorSource) -> Self:
        """Return the loop with one error source off.

        "statistical": samples = oo; "expressivity": the family is the source's own; "approximation": faithful sampling
        and the exact fit inside a procedure; in place of a rescaled variance, the unbiased one.
        """
        if source == "statistical":
            return evolve(self, samples=oo)
        if source == "expressivity":
            return evolve(self, family=self.source or self.family, source=None)
        if source == "approximation":
            return evolve(self, estimator=self.estimator.exact(), sampling=Faithful())
        raise ValueError(f"{source!r} is no error source. Choose statistical, expressivity or approximation.")


_AXES = {"family": Family, "estimator": Estimator, "regime": Regime, "sampling": Sampling}
