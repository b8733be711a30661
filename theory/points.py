"""Laws of one point by their moments: what is asked of data that are not normal, since sums of them have no name."""

from abc import ABC, abstractmethod
from math import comb, prod

from attrs import frozen
from sympy import Add, Expr, S, erf, exp, factorial, factorial2, pi, sqrt

from theory.constants import Constant
from theory.innovations import Law


class Points(ABC):
    """The law of one point about an origin, by its moments."""

    @abstractmethod
    def moment(self, order: int) -> Expr:
        """Return E[y^order]."""

    def exists(self, order: int) -> Expr | None:
        """Return the quantity that must be positive for the moment to exist, None where it always does."""
        del order
        return None


@frozen
class TruncatedNormal(Points):
    """y = sqrt(variance) z, z standard normal given |z| <= h.

    By parts m_j = (j - 1) m_(j-2) - h^(j-1) r with r = sqrt(2/pi) exp(-h^2/2)/erf(h/sqrt(2)).
    """

    variance: Expr
    h: Expr

    def moment(self, order: int) -> Expr:
        """Return variance^(j/2) m_j, 0 for odd j."""
        if order % 2:
            return S.Zero
        edge = Constant(sqrt(2 / pi) * exp(-(self.h**2) / 2) / erf(self.h / sqrt(2)))
        value = S.One
        for j in range(2, order + 1, 2):
            value = (j - 1) * value - self.h ** (j - 1) * edge
        return self.variance ** (order // 2) * value


@frozen
class Student(Points):
    """y = sqrt(variance) t, t of Student's law: E t^(2j) = df^j (2j-1)!!/((df-2)(df-4)...(df-2j)), for 2j < df."""

    variance: Expr
    df: Expr

    def moment(self, order: int) -> Expr:
        """Return the moment, 0 for odd orders."""
        if order % 2:
            return S.Zero
        half = order // 2
        below = prod((self.df - 2 * i for i in range(1, half + 1)), start=S.One)
        return factorial2(2 * half - 1) * (self.variance * self.df) ** half / below

    def exists(self, order: int) -> Expr | None:
        """Return df - order."""
        return self.df - order


@frozen
class NormalPoints(Points):
    """y ~ N(0, variance): E y^(2j) = (2j - 1)!! variance^j."""

    variance: Expr

    def moment(self, order: int) -> Expr:
        """Return the moment, 0 for odd orders."""
        return S.Zero if order % 2 else factorial2(order - 1) * self.variance ** (order // 2)


@frozen
class LaplacePoints(Points):
    """y of density exp(-|y|/scale)/(2 scale): E y^j = j! scale^j for even j."""

    scale: Expr

    def moment(self, order: int) -> Expr:
        """Return the moment, 0 for odd orders."""
        return S.Zero if order % 2 else factorial(order) * self.scale**order


@frozen
class IntervalPoints(Points):
    """y uniform on (-half, half): E y^j = half^j/(j + 1) for even j."""

    half: Expr

    def moment(self, order: int) -> Expr:
        """Return the moment, 0 for odd orders."""
        return S.Zero if order % 2 else self.half**order / (order + 1)


@frozen
class ListedPoints(Points):
    """y one of some values with the probabilities ``weights``, about ``centre``."""

    values: tuple[Expr, ...]
    weights: tuple[Expr, ...]
    centre: Expr

    def moment(self, order: int) -> Expr:
        """Return sum_i w_i (x_i - centre)^order."""
        return Add(*(w * (x - self.centre) ** order for x, w in zip(self.values, self.weights, strict=True)))


@frozen
class NaturalPoints(Points):
    """y = x - E x for a point x of a natural exponential family, from its moments about 0."""

    point: Law
    mean: Expr

    def moment(self, order: int) -> Expr:
        """Return sum_j C(order, j) E x^j (-mean)^(order - j)."""
        raw = (self.point.moment((S(j),), (0,)) for j in range(order + 1))
        return Add(*(comb(order, j) * x * (-self.mean) ** (order - j) for j, x in enumerate(raw))).expand()


@frozen
class MixturePoints(Points):
    """y = shift_i + y_i with the probability w_i, y_i of the law ``points[i]``."""

    weights: tuple[Expr, ...]
    shifts: tuple[Expr, ...]
    points: tuple[Points, ...]

    def moment(self, order: int) -> Expr:
        """Return sum_i w_i sum_j C(order, j) shift_i^(order - j) E y_i^j."""
        parts = zip(self.weights, self.shifts, self.points, strict=True)
        return Add(*(w * shifted(order, shift, points) for w, shift, points in parts))

    def exists(self, order: int) -> Expr | None:
        """Return the condition of the part that has one."""
        return next((c for points in self.points if (c := points.exists(order)) is not None), None)


def shifted(order: int, shift: Expr, points: Points) -> Expr:
    """Return E[(shift + y)^order]."""
    return Add(*(comb(order, j) * shift ** (order - j) * points.moment(j) for j in range(order + 1)))
