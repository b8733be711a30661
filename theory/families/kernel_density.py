"""Kernel density estimates: a smooth law that is centred on every point of the sample, refitted to draws from itself.

A fit adds h^2 to the variance of what it saw, so over the ensemble of runs the variance of a point grows without end,
by h^2 each generation, while within a run it settles where M points lose as much as one kernel adds.
"""

from typing import ClassVar, Literal

from attrs import field, frozen
from sympy import Expr, Integer, Rational, Symbol

from theory.constants import Constant
from theory.exact import exact
from theory.families.smoothed import Moments, Smoothed, convolved, deconvolved
from theory.points import NormalPoints

RULES = ("scott", "silverman")


def _bandwidth(value: object) -> Expr | str:
    if isinstance(value, str) and value in RULES:
        return value
    if isinstance(value, str):
        raise ValueError(f"KernelDensity(bandwidth={value!r}) is no rule. Choose {' or '.join(RULES)}, or a number.")
    h = exact(value, "bandwidth")
    if h.is_negative:
        raise ValueError(f"KernelDensity(bandwidth={h}): a width is not negative. Give h >= 0; 0 is the bootstrap.")
    return h


def _multiple(value: object) -> Expr:
    k = exact(value, "multiple")
    if k.is_positive is False:
        raise ValueError(f"KernelDensity(multiple={k}): a width is positive. Give multiple > 0; 1 is the rule itself.")
    return k


@frozen
class KernelDensity(Smoothed):
    """f(x) = (1/m) sum_i N(x; x_i, h^2): a normal kernel on each of m points.

    Args:
        bandwidth: h, a number >= 0; or a rule, with s^2 the unbiased variance of the sample: "scott", h = s m^(-1/5),
            or "silverman", h = s (3 m/4)^(-1/5), both as in SciPy.
        multiple: what the width of a rule is multiplied by, > 0.

    Recorded by a simulation: `mu` and `V` of the density, so V = sum (x_i - mu)^2/m + h^2, and `h`, 0 for the source.

    Its moments close: a sample's moments of order j are those of its points, and the kernel adds h^2 to V each time, so
    that E V_n = (1 - 1/M) E V_(n-1) + h^2, and over the ensemble a point has the variance V0 + n h^2.

    Source: B. W. Silverman, Density Estimation for Statistics and Data Analysis (1986), section 3.4.

    >>> KernelDensity(Rational(1, 4)).rule is None, KernelDensity("silverman").rule
    (True, 3/4)
    """

    h: ClassVar[Symbol] = Symbol("h", nonnegative=True)

    bandwidth: Expr | Literal["scott", "silverman"] = field(default="scott", converter=_bandwidth)
    multiple: Expr = field(default=Integer(1), converter=_multiple, kw_only=True)

    @property
    def rule(self) -> Expr | None:
        """The number a in h = s (a m)^(-1/5), None where h is fixed."""
        return {"scott": Integer(1), "silverman": Rational(3, 4)}.get(str(self.bandwidth))

    def smeared(self, means: Moments, size: Expr) -> Moments:
        """Return the moments of x_i + h z, h^2 a number or a multiple of the sample's variance."""
        square = self._fixed**2 if self.rule is None else self._share(size) * (means[1] - means[0] ** 2)
        return convolved(means, NormalPoints(square))

    def kept_by(self, moments: Moments, size: Expr) -> Moments:
        """Return the moments without the kernel, whose share of V = s + h^2 = (1 + share) s is known."""
        share = None if self.rule is None else self._share(size)
        square = self._fixed**2 if share is None else share / (1 + share) * (moments[1] - moments[0] ** 2)
        return deconvolved(moments, NormalPoints(square))

    @property
    def _fixed(self) -> Expr:
        return exact(self.bandwidth, "bandwidth")

    def _share(self, size: Expr) -> Expr:
        """Return h^2/s for the mean square s of a sample: multiple^2 (a m)^(-2/5) m/(m - 1)."""
        return self.multiple**2 * Constant((self.rule * size) ** Rational(-2, 5)) * size / (size - 1)
