"""The Dirichlet law of probabilities given counts, what a posterior draw of a discrete law is drawn from."""

from collections.abc import Sequence

from attrs import frozen
from sympy import Expr, Mul, Symbol, rf

from theory.errors import NotClosed
from theory.innovations import Law


@frozen
class Dirichlet(Law):
    """x ~ Dirichlet(a_1, .., a_j, the rest): E[prod x_i^k_i] = prod (a_i)^(k_i)/A^(sum k_i), rising factorials.

    Only the named types are listed; ``total`` = A is the sum of all weights, theirs and the rest's.

    >>> x, a = Symbol("x"), Symbol("a")
    >>> Dirichlet((x,), (a,), a + 1).moment((2,), (0,))
    a/(a + 2)
    """

    symbols: tuple[Symbol, ...]
    weights: tuple[Expr, ...]
    total: Expr

    def means(self) -> tuple[Expr, ...]:
        """Return a_i/A."""
        return tuple(weight / self.total for weight in self.weights)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return the mixed raw moment of whole orders."""
        if any(logs) or not all(k == int(k) >= 0 for k in powers):
            raise NotClosed(
                "a power or logarithm of a probability drawn from counts is no polynomial of them. "
                "Ask for a polynomial in p."
            )
        return Mul(*map(rf, self.weights, powers)) / rf(self.total, sum(powers))
