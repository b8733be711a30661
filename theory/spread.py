"""`spread`: the variance that one run shows and the variance over all runs, which are different numbers.

A point of model n varies within its run, with the model's variance, and runs differ in their mean:
Var(X_n) = E[variance of model n] + Var(mean of model n). Reading one for the other is the commonest slip about
collapse.
"""

from functools import cached_property
from typing import Any

from attrs import frozen
from sympy import Dummy, Expr, exp, log, oo

from theory.certificate import Certificate
from theory.combination import Combined, variance
from theory.drift import Drift, drift
from theory.errors import NotClosed
from theory.expect import Expectation, expect
from theory.geometric import by_base, collected
from theory.latex import latex
from theory.loop import Loop
from theory.signs import sign_on_domain
from theory.symbols import n


@frozen(eq=False)
class Spread:
    """Within-run and ensemble variance of a point of model n, always both; prints as LaTeX.

    ``within`` is E[variance of model n], what a run shows on average; ``between`` is Var(mean of model n), which no run
    shows; ``ensemble`` is their sum, the variance of X_n over all runs.
    """

    loop: Loop
    within: Expectation
    between: Combined
    ensemble: Combined

    @property
    def certificate(self) -> tuple[Certificate, ...]:
        """The inductions for all parts."""
        return self.ensemble.certificate

    @cached_property
    def typical(self) -> Expr:
        """exp E log V_n, what a typical run shows, below the mean by Jensen's inequality.

        Raises:
            NotClosed: the logarithm of the variance has no closed moments.
        """
        return exp(expect(self.loop, log(self.within.observable)).expression)

    @cached_property
    def half_lives(self) -> dict[str, Expr]:
        """Generations in which the variance halves: of its mean over runs, and of a typical run where log V drifts.

        oo where it does not fall; "mean" is missing where the mean is no multiple of one power, "typical" where log V
        is no random walk.
        """
        lives = {}
        powers = by_base(self.within.expression)
        if len(powers) == 1 and not any(weight.has(n) for weight in powers.values()):
            lives["mean"] = _half_life(log(next(iter(powers))))
        walk = _walk(self.loop)
        if walk is not None:
            lives["typical"] = walk.half_life()
        return lives

    def values(self, generations: int) -> list[tuple[Expr, Expr, Expr]]:
        """Return the exact (within, between, ensemble) at generations 0, 1, ..., ``generations``."""
        within, between = self.within.values(generations), self.between.values(generations)
        return [(one.factor(), two, (one + two).factor()) for one, two in zip(within, between, strict=True)]

    def at(self, **values: Any) -> Any:
        """Return the spread with exact values put in by name; with ``n``, the exact (within, between, ensemble)."""
        generation = values.pop("n", None)
        special = spread(self.loop.at(**values))
        return special if generation is None else special.values(int(generation))[-1]

    @property
    def words(self) -> tuple[str, ...]:
        """Which number answers which question."""
        return (
            "within: what one run shows on average; a typical run shows less, exp E log V_n",
            "between: how far the means of runs lie apart; no single run shows it",
            "ensemble: within + between, the variance of a point drawn from a run drawn at random",
            "half-life: that of the mean over runs is never shorter than that of a typical run",
            "tail: P(|X_n - mu0| > t) over the ensemble may rise while it falls in a typical run",
        )

    def _lines(self) -> dict[str, Expr]:
        return {
            "within": collected(self.within.expression),
            "between": self.between.expression,
            "ensemble": self.ensemble.expression,
        }

    def _repr_latex_(self) -> str:
        rows = [rf"\text{{{name}}} &: {latex(expr)}" for name, expr in self._lines().items()]
        rows += [rf"\text{{half-life ({name})}} &: {latex(life)}" for name, life in self.half_lives.items()]
        return r"$\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}$"

    def __str__(self) -> str:
        """Return both variances, the half-lives, and what each means."""
        rows = [f"{name}: {expr}" for name, expr in self._lines().items()]
        rows += [f"half-life ({name}): {life}" for name, life in self.half_lives.items()]
        return "\n".join([*rows, *self.words])


def spread(loop: Loop) -> Spread:
    """Return the within-run, between-run and ensemble variance of a point of model n.

    Args:
        loop: a loop whose family knows the mean and variance of a point as observables (`Family.point`).

    Raises:
        NotClosed: a family without them, or moments that do not close.

    >>> from theory import Gaussian
    >>> ledger = spread(Loop(Gaussian()))
    >>> ledger.within.expression, ledger.between.expression, ledger.ensemble.expression
    (V0*((M - 1)/M)**n, -V0*((M - 1)/M)**n + V0, V0)
    """
    mean, within = loop.law.point()
    inner, square, first = Dummy("within"), Dummy("square"), Dummy("mean")
    inside, between = expect(loop, within), variance(loop, mean)
    parts = {inner: inside, **dict(zip((square, first), between.parts.values(), strict=True))}
    whole = Combined(r"\operatorname{Var}\left[X_n\right]", parts, inner + square - first**2)
    return Spread(loop, inside, between, whole)


def _walk(loop: Loop) -> Drift | None:
    try:
        return drift(loop)
    except NotClosed:
        return None


def _half_life(rate: Expr) -> Expr:
    """Return log 2/(-rate), oo for a rate that is not negative."""
    return oo if sign_on_domain(rate) in (0, 1) else -log(2) / collected(rate)
