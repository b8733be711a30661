"""Means over the number of ancestors A_n, for one M and one source: what answers of the neutral chain are made of."""

from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen
from sympy import ZZ, Add, Expr, Integer

from theory.discrete import dual, spectral
from theory.discrete.dual import Weights
from theory.discrete.marginal import count_law, eigenvalue
from theory.discrete.source import Source
from theory.errors import NoClosedForm
from theory.exact import exact, generation_number

Values = Callable[[int], Sequence[Any]]
"""M -> f(0), ..., f(M), over the denominator q^M of the source."""


@frozen
class Ancestry:
    """A_1 = M, A_2, ...: how many tokens of the first fit, drawn from ``source``, the tokens of fit n descend from."""

    samples: Expr
    source: Source

    @property
    def size(self) -> int:
        """M as a number.

        Raises:
            NoClosedForm: M is symbolic.
        """
        if not self.samples.is_Integer:
            raise NoClosedForm(
                f"no closed form is known here for a symbolic M = {self.samples}. Put a number in with loop.at(M=...), "
                "or ask moment, collision or eigenvalue."
            )
        return int(self.samples)

    def total_time(self, values: Values, order: int = 1) -> Expr:
        """Return sum_(n >= 1) binomial(n + order - 2, order - 1) E f(A_n), for f(1) = 0."""
        return self._mean(dual.visits(self.size, order), values(self.size))

    def curve(self, n: Expr | int, values: Values, at_source: Expr, over: Any = 1) -> Expr:
        """Return E f(A_n), f = values/over: by steps to a number n >= 1, by eigenvectors for a symbolic one."""
        at, M = generation(n), self.size
        if at == 0:
            return at_source
        if at.is_Integer:
            return self._mean(dual.law(M, int(at)), values(M), over)
        known = values(M)
        modes = ((eigenvalue(self.samples, k), mode) for k, mode in spectral.modes(ZZ(M), M))
        return Add(*(self._mean(mode, known[: len(mode.numerators)], over) / rate * rate**at for rate, mode in modes))

    def counts(self, x: Any, n: int) -> list[Any]:
        """Return q^M M^(M (n-1)) P(a type of probability x/q has j tokens at fit n), j = 0..M, n >= 1 a number."""
        if not generation(n).is_Integer or n == 0:
            raise ValueError(f"n = {n}: counts are those of one fit. Give a whole number >= 1.")
        return list(count_law(self.source.powers(x, self.size), int(n)))

    def counts_over(self, n: int) -> Any:
        """Return the denominator of `counts`."""
        return self.source.over**self.size * ZZ(self.size) ** (self.size * (int(n) - 1))

    def _mean(self, weights: Weights, values: Sequence[Any], over: Any = 1) -> Expr:
        return self.source.expr(weights.dot(values), weights.denominator * self.source.over**self.size * over)


def generation(n: Expr | int) -> Expr:
    """Return n as an exact expression, a symbol as it is.

    Raises:
        ValueError: a number that is no generation.
    """
    at = exact(n, "n")
    return Integer(generation_number(at)) if at.is_number else at
