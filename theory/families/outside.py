"""Laws that real data may follow and that no Gaussian is: what a family is fitted to when it is too narrow.

A loop names one as its ``source``, and a family reads of it what its fit needs: the mean of a point, the moments of the
point about it, and the entropy, from which the KL divergence to a projection follows. Those with a density are families
of their own too, in which the expressivity error of a narrower one is off.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

from attrs import field, frozen
from sympy import Add, Expr, Rational, S, Symbol, beta, digamma, log, sqrt

from theory.axes import free_symbols, substituted
from theory.errors import NotClosed
from theory.exact import finite, sequence
from theory.families.base import Family, Parameters
from theory.families.located import LocationScale
from theory.families.one_parameter import positive
from theory.innovations import Law
from theory.laws.extremes import Extremes
from theory.laws.median import MedianDeviation
from theory.points import IntervalPoints, LaplacePoints, ListedPoints, Points, Student
from theory.sampling import Sampling, Tempered


@frozen
class Outside(Family):
    """A law of numbers by its fields, which are its parameters; on its own it is a source only."""

    def source(self) -> Parameters:
        """Return no parameters: no model of this law is fitted."""
        return {}

    @property
    def free_symbols(self) -> set[Any]:
        """The symbols of its parameters."""
        return free_symbols(self)

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the law with values put into its parameters."""
        return substituted(self, values)

    @abstractmethod
    def centred(self) -> tuple[Expr, Points]:
        """Return the mean of a point and the law of the point about it."""


@frozen
class Laplace(LocationScale, Outside):
    """Density exp(-|x - location|/scale)/(2 scale); at temperature tau the same with tau * scale.

    Its fit is the median, `centre`, and the mean distance from it, `width`.

    Args:
        location: the mean.
        scale: b > 0; the variance is 2 b^2.

    >>> mean, points = Laplace(0, 1).centred()
    >>> points.moment(2), points.moment(4)
    (2, 24)
    """

    location: Expr = field(default=S.Zero, converter=lambda value: finite(value, "location"))
    scale: Expr = field(default=S.One, converter=positive("Laplace", "scale"))

    def centred(self) -> tuple[Expr, Points]:
        """Return location, and the double exponential law about it."""
        return self.location, LaplacePoints(self.scale)

    def initial(self) -> tuple[Expr, Expr]:
        """Return (location, scale)."""
        return self.location, self.scale

    def unit(self) -> Points:
        """Return a point of density exp(-|x|)/2."""
        return LaplacePoints(S.One)

    def standard(self, size: Expr, label: str) -> tuple[Expr, Expr, tuple[Law, ...]]:
        """Return median and mean absolute deviation."""
        u, g = Symbol(f"u_{label}", real=True), Symbol(f"g_{label}", nonnegative=True)
        return u, g, (MedianDeviation((u, g), size),)

    def tempered(self, width: Expr, tau: Expr) -> Expr:
        """Return tau b."""
        return tau * width

    def distance(self, metric: str) -> Expr:
        """Return W_2^2 = (c - c0)^2 + 2 (b - b0)^2, or the entropy 1 + log(2 b)."""
        if metric == "entropy":
            return 1 + log(2 * self.width)
        return _moved(self, metric)

    def differential_entropy(self) -> Expr:
        """Return 1 + log(2 b)."""
        return 1 + log(2 * self.scale)

    def drawn_as(self, sampling: Sampling) -> Family:
        """Return the law that tempered sampling draws from."""
        if not isinstance(sampling, Tempered):
            return Family.drawn_as(self, sampling)
        return Laplace(self.location, sampling.tau * self.scale)


@frozen
class StudentT(LocationScale, Outside):
    """Density proportional to (1 + (x - location)^2/(df scale^2))^(-(df + 1)/2).

    Its fit, `centre` and `width` at the known df, solves the likelihood equations by iteration, and has no moments in
    closed form: a loop of it is simulated.

    Args:
        df: degrees of freedom, > 2 where a variance is fitted.
        location: the mean.
        scale: > 0; the variance is df/(df - 2) scale^2.

    >>> StudentT(5).centred()[1].moment(2)
    5/3
    """

    df: Expr = field(converter=positive("StudentT", "df"))
    location: Expr = field(default=S.Zero, converter=lambda value: finite(value, "location"))
    scale: Expr = field(default=S.One, converter=positive("StudentT", "scale"))

    def centred(self) -> tuple[Expr, Points]:
        """Return location, and Student's law about it, or refuse where its variance is infinite."""
        if (self.df - 2).is_nonpositive:
            raise ValueError(
                f"StudentT({self.df}): no variance is finite at {self.df} degrees of freedom. Give df > 2."
            )
        return self.location, Student(self.scale**2, self.df)

    def initial(self) -> tuple[Expr, Expr]:
        """Return (location, scale)."""
        return self.location, self.scale

    def unit(self) -> Points:
        """Return a point of Student's law."""
        return Student(S.One, self.df)

    def project(self, source: Family) -> Family:
        """Return the source, when it is of this family with the same df."""
        if isinstance(source, StudentT) and source.df != self.df:
            raise ValueError(f"the source has df = {source.df}, the family {self.df}. Give both the same df.")
        return super().project(source)

    def standard(self, size: Expr, label: str) -> tuple[Expr, Expr, tuple[Law, ...]]:
        """Refuse: the likelihood equations of m points are of degree 2 m - 1 in the centre."""
        del size, label
        raise NotClosed(
            "family: the fit of a StudentT law solves equations of degree 2M - 1, so its moments have no closed form. "
            "Ask simulate(loop)."
        )

    def distance(self, metric: str) -> Expr:
        """Return W_2^2 = (c - c0)^2 + v (w - w0)^2, v the variance at width 1, or the entropy."""
        if metric == "entropy":
            return StudentT(self.df).differential_entropy() + log(self.width)
        return _moved(self, metric)

    def differential_entropy(self) -> Expr:
        """Return (df + 1)/2 (psi((df + 1)/2) - psi(df/2)) + log(sqrt(df) B(df/2, 1/2) scale)."""
        half = self.df / 2
        spread = (half + S.Half) * (digamma(half + S.Half) - digamma(half))
        return spread + log(sqrt(self.df) * beta(half, S.Half).rewrite("gamma") * self.scale)

    def drawn_as(self, sampling: Sampling) -> Family:
        """Return the law that tempered sampling draws from: df' + 1 = (df + 1)/tau at the same df scale^2."""
        if not isinstance(sampling, Tempered):
            return Family.drawn_as(self, sampling)
        df = (self.df + 1) / sampling.tau - 1
        if df.is_nonpositive:
            raise NotClosed(
                f"sampling: the density f^(1/{sampling.tau}) of {self} has no finite integral. "
                f"Give tau < {self.df + 1}."
            )
        return StudentT(df, self.location, self.scale * sqrt(self.df / df))


@frozen
class UniformOn(LocationScale, Outside):
    """The uniform law on (lower, upper), the same at any temperature.

    Its fit ranges from the smallest to the largest point: `centre` is their middle, `width` their distance.

    >>> UniformOn(0, 1).centred()[1].moment(2)
    1/12
    """

    lower: Expr = field(default=S.Zero, converter=lambda value: finite(value, "lower"))
    upper: Expr = field(default=S.One, converter=lambda value: finite(value, "upper"))

    def __attrs_post_init__(self) -> None:
        """Refuse an interval that is none."""
        if (self.upper - self.lower).is_nonpositive:
            raise ValueError(f"UniformOn({self.lower}, {self.upper}) is empty. Give lower < upper.")

    def centred(self) -> tuple[Expr, Points]:
        """Return the middle, and the uniform law about it."""
        return (self.lower + self.upper) / 2, IntervalPoints((self.upper - self.lower) / 2)

    def initial(self) -> tuple[Expr, Expr]:
        """Return the middle and the length."""
        return (self.lower + self.upper) / 2, self.upper - self.lower

    def unit(self) -> Points:
        """Return a point uniform on (-1/2, 1/2)."""
        return IntervalPoints(S.Half)

    def standard(self, size: Expr, label: str) -> tuple[Expr, Expr, tuple[Law, ...]]:
        """Return x + r/2 - 1/2 and r, x the smallest and r the range of points uniform on (0, 1)."""
        low, spread = Symbol(f"x_{label}", nonnegative=True), Symbol(f"r_{label}", positive=True)
        return low + spread / 2 - S.Half, spread, (Extremes((low, spread), size),)

    def tempered(self, width: Expr, tau: Expr) -> Expr:
        """Return the width: a constant density stays one."""
        del tau
        return width

    def distance(self, metric: str) -> Expr:
        """Return W_2^2 = (c - c0)^2 + (w - w0)^2/12, KL(model || source) = log(w0/w) of a model inside the source, or
        the entropy log w.
        """
        if metric == "entropy":
            return log(self.width)
        return log(self.initial()[1]) - log(self.width) if metric == "kl_model_source" else _moved(self, metric)

    def differential_entropy(self) -> Expr:
        """Return log(upper - lower)."""
        return log(self.upper - self.lower)

    def drawn_as(self, sampling: Sampling) -> Family:
        """Return the law itself at any temperature: a constant density stays one."""
        return self if isinstance(sampling, Tempered) else Family.drawn_as(self, sampling)


@frozen
class Empirical(Outside):
    """The law of a list of numbers, each as likely as it is frequent: data that are all there is.

    >>> mean, points = Empirical([1, 2, 3, 6]).centred()
    >>> mean, points.moment(2), points.moment(3)
    (3, 7/2, 9/2)
    """

    values: tuple[Expr, ...] = field(converter=lambda values: sequence(values, "values"), repr=lambda v: f"<{len(v)}>")

    def __attrs_post_init__(self) -> None:
        """Refuse an empty list."""
        if not self.values:
            raise ValueError("Empirical([]) has no points. Give at least one number.")

    def centred(self) -> tuple[Expr, Points]:
        """Return the mean, and the listed values about it."""
        weights = (Rational(1, len(self.values)),) * len(self.values)
        mean = Add(*self.values) / len(self.values)
        return mean, ListedPoints(self.values, weights, mean)


def _moved(law: LocationScale, metric: str) -> Expr:
    """Return W_2^2 between two laws of one shape, (c - c0)^2 + v (w - w0)^2 with v the variance at width 1: equal
    quantiles lie c - c0 + (w - w0) q apart.
    """
    if metric != "w2":
        raise NotClosed(
            f"metric: {metric} of {law.title} models is infinite or has no closed moments. "
            "Ask w2 or entropy, or simulate(loop)."
        )
    centre, width = law.initial()
    return (law.centre - centre) ** 2 + law.unit().moment(2) * (law.width - width) ** 2
