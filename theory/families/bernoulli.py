"""The Bernoulli family: one success probability, fitted by the sample frequency.

A sample of m points has x ~ Binomial(m, p) successes; refitting is neutral Wright-Fisher drift with two types.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from attrs import field, frozen
from sympy import Expr, S, Symbol

from theory import symbols
from theory.estimators import Estimator
from theory.exact import share
from theory.families.base import Batch, Derivable, Parameters
from theory.innovations import Law, Multinomial
from theory.laws.dirichlet import Dirichlet
from theory.samples import Hypergeometric
from theory.sampling import Sampling


@frozen
class Bernoulli(Derivable):
    """P(x = 1) = p with source probability p0 in [0, 1].

    >>> Bernoulli().source()
    {p: p0}
    """

    tells_points = True
    p: ClassVar[Symbol] = symbols.q

    p0: Expr = field(default=symbols.q0, converter=share("p0", "Bernoulli(p0={}): a probability lies between 0 and 1."))

    def source(self) -> Parameters:
        """Return {p: p0}."""
        return {self.p: self.p0}

    def point(self) -> tuple[Expr, Expr]:
        """Return (p, p(1 - p))."""
        return self.p, self.p * (1 - self.p)

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the number of successes, x ~ Binomial(m, p)."""
        count = Symbol(f"x_{label}", nonnegative=True)
        return Batch(size, (count,), (Multinomial((count,), size, (law[self.p],)),))

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the sum of the counts."""
        return Batch(one.size + two.size, (one.statistics[0] + two.statistics[0],), one.laws + two.laws)

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return p = x/m."""
        del estimator, state
        return {self.p: batch.statistics[0] / batch.size}

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return x = m p."""
        del estimator
        return Batch(size, (size * law[self.p],))

    def mixture(self, source: Parameters, model: Parameters, share: Expr, size: Expr, sampling: Sampling) -> Batch:
        """Return the successes of points with P(x = 1) = share p0 + (1 - share) p."""
        here = self.distorted(model, sampling)
        return self.batch({self.p: share * source[self.p] + (1 - share) * here[self.p]}, size, "mixture")

    def drawn(self, law: Parameters, sampling: Sampling, size: Expr, fitted: Expr | None) -> Batch:
        """Return the successes; in the posterior predictive law P(x = 1) = (m p + 1/2)/(m + 1)."""
        if fitted is not None:
            law = {self.p: (fitted * law[self.p] + S.Half) / (fitted + 1)}
        return self.batch(self.distorted(law, sampling), size, "model")

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return p' ~ Beta(x + 1/2, m - x + 1/2), the posterior of the Jeffreys prior."""
        del state
        draw = Symbol("p_draw", positive=True)
        return {self.p: draw}, (Dirichlet((draw,), (batch.statistics[0] + S.Half,), batch.size + 1),)

    def subsample(self, pool: Batch, size: Expr) -> Batch:
        """Return the successes among points drawn without replacement, hypergeometric."""
        count = Symbol("x_subset", nonnegative=True)
        return Batch(size, (count,), (*pool.laws, Hypergeometric((count,), size, pool.size, pool.statistics)))

    def remembered(self, batch: Batch, label: str, state: Sequence[Expr]) -> Parameters:
        """Return the frequency x/m."""
        del state
        return {_frequency(label): batch.statistics[0] / batch.size}

    def recalled(self, size: Expr, label: str, state: Sequence[Expr]) -> Batch:
        """Return the number of successes, m times the frequency."""
        del state
        return Batch(size, (size * _frequency(label),))

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with a value put into p0."""
        return type(self)(self.p0.subs(values))


def _frequency(label: str) -> Symbol:
    return Symbol(f"p_{label}", nonnegative=True)
