"""What is asked of a loop, as data: each question knows how to put itself to the engine, and to write itself down."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from attrs import frozen
from sympy import Add, Expr, Poly, S, Symbol, solve

from theory import symbols
from theory.asymptotics import leading
from theory.autocovariance import autocovariance
from theory.combination import variance
from theory.drift import drift
from theory.errors import NoClosedForm
from theory.expect import expect
from theory.law import law
from theory.loop import Loop
from theory.risk import Metric, risk
from theory.spectrum import lyapunov
from theory.spread import spread
from theory.stationary import stationary


class Question(ABC):
    """What is asked of a loop."""

    @abstractmethod
    def answer(self, loop: Loop) -> Expr:
        """Return what the engine derives."""


@frozen
class Mean(Question):
    """E[of(model n)], for every n, or at one generation."""

    of: Expr
    generation: Expr = symbols.n

    def answer(self, loop: Loop) -> Expr:
        """Return the closed form in n, or the value of the recurrence at a number n."""
        found = expect(loop, self.of)
        return found.expression if self.generation == symbols.n else found.values(int(self.generation))[-1]

    def __str__(self) -> str:
        """Return E[of] with its generation."""
        return f"E[{self.of}] at generation {self.generation}"


@frozen
class Variance(Question):
    """Var[of(model n)] over runs, for every n, or at one generation."""

    of: Expr
    generation: Expr = symbols.n

    def answer(self, loop: Loop) -> Expr:
        """Return the closed form in n, or the value at a number n."""
        found = variance(loop, self.of)
        return found.expression if self.generation == symbols.n else found.values(int(self.generation))[-1]

    def __str__(self) -> str:
        """Return Var[of] with its generation."""
        return f"Var[{self.of}] at generation {self.generation}"


@frozen
class Limit(Question):
    """lim E[of(model n)] as n grows; oo where it diverges."""

    of: Expr

    def answer(self, loop: Loop) -> Expr:
        """Return the limit of the closed form."""
        return expect(loop, self.of).limit()

    def __str__(self) -> str:
        """Return the limit in words."""
        return f"limit of E[{self.of}]"


@frozen
class Stationary(Question):
    """The stationary E[of], where its recurrence has a fixed point."""

    of: Expr

    def answer(self, loop: Loop) -> Expr:
        """Return the fixed point."""
        return stationary(loop, self.of).expression

    def __str__(self) -> str:
        """Return the stationary mean in words."""
        return f"stationary E[{self.of}]"


@frozen
class Minimiser(Question):
    """The value in (0, 1) of a loop symbol at which the stationary E[of] is least."""

    of: Expr
    symbol: Symbol

    def answer(self, loop: Loop) -> Expr:
        """Return the one root in (0, 1) of the derivative of the stationary mean."""
        slope = stationary(loop, self.of).expression.diff(self.symbol).together().as_numer_denom()[0]
        found = [root for root in solve(slope, self.symbol) if _inside(root)]
        if len(found) != 1:
            raise NoClosedForm(f"E[{self.of}] has {len(found)} turning points in (0, 1). Ask for the stationary mean.")
        return found[0]

    def __str__(self) -> str:
        """Return the minimiser in words."""
        return f"{self.symbol} that makes the stationary E[{self.of}] least"


def _inside(root: Expr) -> bool:
    """Return whether a root lies in (0, 1) at M = 12, other symbols 1."""
    value = root.subs({symbol: S(12) if symbol == symbols.M else S.One for symbol in root.free_symbols})
    return bool(value.is_real and 0 < value < 1)


@frozen
class Ensemble(Question):
    """Var(X_n), the variance of one synthetic point over all runs."""

    def answer(self, loop: Loop) -> Expr:
        """Return E[variance of model n] + Var(mean of model n)."""
        return spread(loop).ensemble.expression

    def __str__(self) -> str:
        """Return Var(X_n)."""
        return "Var(X_n) over runs"


@frozen
class Risk(Question):
    """E metric(source, model n), or its limit as n grows."""

    metric: Metric
    limit: bool = False

    def answer(self, loop: Loop) -> Expr:
        """Return the closed form in n, or its limit."""
        found = risk(loop, self.metric)
        return found.limit() if self.limit else found.expression

    def __str__(self) -> str:
        """Return the metric in words."""
        return f"{'limit of ' if self.limit else ''}E {self.metric}"


@frozen
class Leading(Question):
    """The leading term of another question's answer as a symbol grows."""

    question: Question
    symbol: Symbol = symbols.M

    def answer(self, loop: Loop) -> Expr:
        """Return the leading term, its remainder left out."""
        return leading(self.question.answer(loop), self.symbol).term

    def __str__(self) -> str:
        """Return the question, for a large symbol."""
        return f"{self.question}, for large {self.symbol}"


@frozen
class Lagged(Question):
    """Cov(of(model n), of(model n + lag)) in the limit of large n."""

    of: Expr

    def answer(self, loop: Loop) -> Expr:
        """Return the stationary autocovariance, in closed form in the lag."""
        return autocovariance(loop, self.of).limit()

    def __str__(self) -> str:
        """Return the covariance in words."""
        return f"stationary Cov[{self.of}] at lag {symbols.ell}"


@frozen
class DeviationRate(Question):
    """-lim (1/n) log P(V_n > x V0), to leading order for large M."""

    def answer(self, loop: Loop) -> Expr:
        """Return the leading term of the large-deviation rate."""
        return drift(loop).large_deviation.leading

    def __str__(self) -> str:
        """Return the rate in words."""
        return "exponential rate of P(V_n > x V0), for large M"


@frozen
class Tail(Question):
    """P(sigma_n > level) of one run, at numbers: the upper end of an interval that holds it."""

    level: Expr
    generation: Expr = symbols.n

    def answer(self, loop: Loop) -> Expr:
        """Return the upper end of the enclosed probability."""
        return law(loop).at(n=int(self.generation)).sf(self.level**2).upper

    def __str__(self) -> str:
        """Return the probability in words."""
        return f"P(sigma > {self.level}) at generation {self.generation}"


@frozen
class Exponent(Question):
    """The k-th Lyapunov exponent, lim (1/n) log of the k-th eigenvalue of the fitted covariance."""

    k: int

    def answer(self, loop: Loop) -> Expr:
        """Return the exponent."""
        return lyapunov(loop).exponents[self.k - 1]

    def __str__(self) -> str:
        """Return the exponent in words."""
        return f"Lyapunov exponent {self.k}"


@frozen
class Eigenvalue(Question):
    """The j-th eigenvalue of the refit on polynomials of a frequency p: the weight of p^j in E[p^j after one | p]."""

    of: Symbol
    j: int

    def answer(self, loop: Loop) -> Expr:
        """Return the leading coefficient of the one-step mean."""
        return Poly(expect(loop, self.of**self.j).next(), self.of).LC()

    def __str__(self) -> str:
        """Return the eigenvalue in words."""
        return f"eigenvalue {self.j}"


@frozen
class Combination(Question):
    """A combination of answers, such as a kurtosis: ``join`` of the answers of ``parts``."""

    words: str
    parts: tuple[Question, ...]
    join: Callable[..., Any]

    def answer(self, loop: Loop) -> Expr:
        """Return the combination."""
        return Add(self.join(*(part.answer(loop) for part in self.parts)))

    def __str__(self) -> str:
        """Return the words."""
        return self.words
