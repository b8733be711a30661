"""The gamma family with a known shape: V(m) = m^2/r. Its sums are chi-squares, so real powers and logarithms close."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen
from sympy import Expr, Symbol, digamma, gamma, log

from theory import symbols
from theory.errors import NotClosed
from theory.families.base import Batch, Derivable, Parameters
from theory.families.natural import NaturalFamily
from theory.families.one_parameter import positive
from theory.innovations import ChiSquare, Law
from theory.sampling import Sampling, Tempered


@frozen
class GammaFamily(NaturalFamily):
    """Points m/(2r) * chi-square(2r), so that N of them sum to m/(2r) * chi-square(2 r N)."""

    mean: ClassVar[Symbol] = symbols.mean
    parameter = mean

    @property
    @abstractmethod
    def r(self) -> Expr:
        """The shape."""

    def variance(self, mean: Expr) -> Expr:
        """Return m^2/r."""
        return mean**2 / self.r

    def reach(self) -> tuple[Expr, Expr, Expr]:
        """Return x = mean/r Gamma(r, 1)."""
        return Symbol("x", positive=True), self.r, 1 / self.r

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the sum of the points, m/(2r) chi with chi ~ chi-square(2 r N)."""
        chi, r = Symbol(f"chi_{label}", positive=True), law.get(symbols.r, self.r)
        return Batch(size, (law[self.mean] / (2 * r) * chi,), (ChiSquare(chi, 2 * r * size),))

    def distorted(self, law: Parameters, sampling: Sampling) -> Parameters:
        """Return the law of density f^(1/tau): shape r' = 1 + (r - 1)/tau at the scale tau m/r, mean r' tau m/r."""
        if not isinstance(sampling, Tempered):
            return Derivable.distorted(self, law, sampling)
        shape = 1 + (self.r - 1) / sampling.tau
        if shape.is_number and not shape > 0:
            raise NotClosed(
                f"sampling: the density f^(1/{sampling.tau}) of a gamma law of shape {self.r} has no finite integral. "
                f"Give tau > {1 - self.r}."
            )
        return {self.mean: (law[self.mean] * shape * sampling.tau / self.r).cancel(), symbols.r: shape}

    def differential_entropy(self) -> Expr:
        """Return r + log(Gamma(r) mean0/r) + (1 - r) psi(r)."""
        return self.r + log(gamma(self.r) * self.initial / self.r) + (1 - self.r) * digamma(self.r)

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return mean' = 2 r sum x/chi, chi ~ chi-square(2 r m), the posterior of the prior 1/mean."""
        del state
        chi = Symbol("chi_draw", positive=True)
        return {self.mean: 2 * self.r * batch.statistics[0] / chi}, (ChiSquare(chi, 2 * self.r * batch.size),)


@frozen
class Gamma(GammaFamily):
    """Density proportional to x^(r-1) exp(-r x/mean) on x > 0, with source mean0.

    Args:
        shape: r > 0; 1 is the exponential family.
        mean0: mean of the source, > 0.

    >>> Gamma(3).variance_function
    mean**2/3
    """

    shape: Expr = field(default=symbols.r, converter=positive("Gamma", "shape"))
    mean0: Expr = field(default=symbols.mean0, converter=positive("Gamma", "mean0"))

    @property
    def r(self) -> Expr:
        """The shape."""
        return self.shape
