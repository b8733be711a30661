"""Regimes: which data each fit sees, as a list of parts.

A regime is data. Fit k reads the parts in turn; theory pools their sufficient statistics, simulation concatenates their
points, and neither holds a weight that the other could get wrong in the same way.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

from attrs import evolve, field, frozen
from sympy import Expr, Indexed, IndexedBase, Rational, S

from theory.axes import shown
from theory.exact import exact, share
from theory.symbols import n


@frozen
class Part:
    """``size`` points of one origin.

    "real": fresh from the source. "kept": from the source, drawn once and read by every fit. "model": from the last
    model. "mixture": each from the source with probability ``share``, else from the last model. "past": all before.
    "survivors": those of the last fit but one, which gives way, each with the same probability.
    """

    origin: Literal["real", "kept", "model", "mixture", "past", "survivors"]
    size: Expr
    share: Expr = S.Zero
    weight: Expr | None = None
    """Weight of the whole part in the likelihood; None where every point counts the same."""


class Regime(ABC):
    """Which data the k-th fit sees (k = 1 is the first; its "model" is the source)."""

    subsampled = False
    """Whether only M of the points that the parts name are fitted, drawn without replacement."""
    between = True
    """Whether weighted parts add the squares between their means to the variance, as the likelihood does."""

    @abstractmethod
    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return the parts that fit k reads when each generation draws ``samples`` points."""

    def population(self) -> "Regime":
        """Return the regime that this one is when every fit sees infinitely many points."""
        return self

    def sizes_of(self, expr: Expr) -> dict[Expr, Expr]:
        """Return the sizes that stand behind entries of sequences in an expression of numbered fits."""
        del expr
        return {}

    def __repr__(self) -> str:
        """Return the regime as it is written, defaults left out."""
        return shown(self)


@frozen(repr=False)
class Replace(Regime):
    """Each fit sees only the samples of the model before it."""

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return M points of the last model."""
        del k
        return (Part("model", samples),)


@frozen(repr=False)
class Accumulate(Regime):
    """Fit k sees all k*M points drawn so far, M of them from model k - 1."""

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return the pool of (k - 1)M points and M of the last model."""
        return (Part("past", (k - 1) * samples), Part("model", samples))


@frozen(repr=False)
class Subsample(Accumulate):
    """Fit k sees M points drawn without replacement from all k*M drawn so far."""

    subsampled = True

    def population(self) -> Regime:
        """Return the whole pool, of which infinitely many points are an image."""
        return Accumulate()


@frozen(repr=False)
class Mixed(Regime):
    """Each fit sees a share alpha of real points among its M, the others from the last model.

    Args:
        alpha: the real share, in [0, 1].
        fresh: whether real points are drawn anew for every fit, or one set of them is kept.
        count: "fixed" for exactly alpha*M real points, "bernoulli" for each point real with probability alpha.
    """

    alpha: Expr = field(converter=share("alpha", "Mixed(alpha={}): a real share lies between 0 and 1."))
    fresh: bool = field(default=True, kw_only=True)
    count: Literal["fixed", "bernoulli"] = field(default="fixed", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse a kept set of random size."""
        if self.count not in ("fixed", "bernoulli"):
            raise ValueError(f"Mixed(count={self.count!r}) is not known. Choose 'fixed' or 'bernoulli'.")
        if self.count == "bernoulli" and not self.fresh:
            raise ValueError(
                "Mixed(fresh=False, count='bernoulli'): a set that is kept has one size. Use count='fixed'."
            )

    def population(self) -> Regime:
        """Return fresh real points: of infinitely many, a kept set is no other."""
        return evolve(self, fresh=True)

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return alpha*M real points and (1 - alpha)M of the last model."""
        del k
        if self.count == "bernoulli":
            return (Part("mixture", samples, self.alpha),)
        real: Any = "real" if self.fresh else "kept"
        return (Part(real, self.alpha * samples), Part("model", (1 - self.alpha) * samples))


@frozen(repr=False)
class Moran(Regime):
    """One token at a time: one of the M, chosen uniformly, gives way to a new one, and the model is fitted again.

    The new token is a draw from the last model, which is a copy of any of the M tokens, the one that gives way
    included, with probability 1 - real, and a fresh draw from the source with probability real. The two choices are
    independent. The first fit sees M tokens of the source, and every later fit counts one replacement.

    Args:
        real: probability u that the new token comes from the source, in [0, 1].

    Source: P. A. P. Moran, Random processes in genetics (1958).

    >>> from theory.symbols import M
    >>> [part.size for part in Moran(Rational(1, 10)).parts(M, n)]
    [M - 1, 1]
    """

    real: Expr = field(default=S.Zero, converter=share("real", "Moran(real={}): a probability lies between 0 and 1."))

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return M points of the source for the first fit, and the survivors with a new point for every other."""
        if k == 1:
            return (Part("model", samples),)
        return (Part("survivors", samples - 1), Part("mixture", S.One, self.real))


@frozen(repr=False)
class Weighted(Regime):
    """Weighted likelihood: the alpha*M fresh real points weigh w together, the others of the last model 1 - w.

    Args:
        w: weight of all real points together; w = alpha weighs every point the same.
        alpha: share of real points among the M.
        between: whether the squares between the two means enter the variance, as in the weighted likelihood; without
            them variances are averaged within parts alone.
    """

    w: Expr = field(converter=share("w", "Weighted(w={}) lies outside [0, 1]."))
    alpha: Expr = field(default=Rational(1, 2), converter=share("alpha", "Weighted(alpha={}) lies outside [0, 1]."))
    between: bool = field(default=True, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse a weight on no points."""
        for size, weight, origin in ((self.alpha, self.w, "real"), (1 - self.alpha, 1 - self.w, "model")):
            if size == 0 and weight != 0:
                raise ValueError(
                    f"{self!r} gives the weight {weight} to no {origin} points. Give 0 < alpha < 1, or w = alpha."
                )

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return the two parts with their weights."""
        del k
        real = Part("real", self.alpha * samples, weight=self.w)
        return (real, Part("model", (1 - self.alpha) * samples, weight=1 - self.w))


Sizes = Expr | tuple[Expr, ...]


def _sizes(value: object) -> Sizes:
    if isinstance(value, IndexedBase):
        entry: Any = value
        return entry[n]
    if isinstance(value, Sequence) and not isinstance(value, str):
        sizes = tuple(exact(size, f"sizes[{k}]") for k, size in enumerate(value))
        for k, size in enumerate(sizes):
            if size.is_number and not (size.is_Integer and size > 0):
                raise ValueError(f"Schedule: fit {k + 1} has {size} points. Give whole numbers >= 1.")
        return sizes
    return exact(value, "sizes")


@frozen(repr=False)
class Schedule(Regime):
    """Replace with M_k points for fit k.

    Args:
        sizes: a list of numbers, M_1, M_2, ...; or an expression in n, the number of the fit, such as ``M * n**2``; or
            an `IndexedBase`, whose entry n is M_n, left symbolic.

    >>> from theory.symbols import M
    >>> Schedule(M * n**2).parts(M, 3)
    (Part(origin='model', size=9*M, share=0, weight=None),)
    """

    sizes: Sizes = field(converter=_sizes)

    def population(self) -> Regime:
        """Return Replace: infinitely many points have no schedule."""
        return Replace()

    def parts(self, samples: Expr, k: Expr) -> tuple[Part, ...]:
        """Return M_k points of the last model."""
        del samples
        return (Part("model", self.size(S(k))),)

    def sizes_of(self, expr: Expr) -> dict[Expr, Expr]:
        """Return M_k for every entry M[k], the listed number or the entry itself."""
        base = LISTED if isinstance(self.sizes, tuple) else getattr(self.sizes, "base", None)
        return {entry: self.size(entry.indices[0]) for entry in expr.atoms(Indexed) if entry.base == base}

    def size(self, k: Expr) -> Expr:
        """Return M_k; for a list and the symbol n, the entry n of a sequence named M."""
        if not isinstance(self.sizes, tuple):
            return _whole(self.sizes.subs(n, k), k)
        if not k.is_Integer:
            return LISTED[k]
        if not 1 <= int(k) <= len(self.sizes):
            raise ValueError(f"fit {k} has no size: the schedule ends after {len(self.sizes)}. Give a longer list.")
        return self.sizes[int(k) - 1]


def _whole(size: Expr, k: Expr) -> Expr:
    if size.is_number and not (size.is_Integer and size > 0):
        raise ValueError(f"Schedule: fit {k} has {size} points. Give sizes that are whole numbers >= 1 there.")
    return size


LISTED = IndexedBase("M", integer=True, positive=True)
"""Stands for a list of sizes where the number of the fit is left symbolic."""
