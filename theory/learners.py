"""Learning as people run it: stochastic gradient descent, Adam, expectation maximisation, variational inference, NUTS.

These are declarations. None has moments in closed form, so a derivation refuses them by name and a simulation runs
them; the closed forms nearest to them are `GradientSteps` (full batch) and `PosteriorDraw`.
"""

from typing import Any, Literal

from attrs import field, frozen
from sympy import Expr, Rational, S

from theory.errors import NotClosed
from theory.estimators import MLE, Estimator, Fit
from theory.exact import exact
from theory.procedures import Procedure

Begin = Literal["last", "source"]


@frozen
class Learner(Procedure):
    """A procedure that ends near a maximum of the likelihood, or in a posterior, and is run rather than derived."""

    of: Estimator = field(factory=MLE, init=False, repr=False)

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Fit:
        """Refuse: what is learned has no moments in closed form."""
        del family, batch, last, state
        raise NotClosed(
            f"estimator: what {self} learns has no moments in closed form. "
            "Ask simulate(loop), or the closed forms of GradientSteps or PosteriorDraw."
        )


def _counted(name: str, least: int = 1) -> Any:
    def checked(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} = {value!r} is no number of them. Give a whole number >= {least}.")
        return value

    return checked


def _optional(name: str) -> Any:
    return lambda value: None if value is None else _counted(name)(value)


def _positive(name: str) -> Any:
    def checked(value: object) -> Expr:
        number = exact(value, name)
        if number.is_positive is False:
            raise ValueError(f"{name} = {number} is no step. Give {name} > 0.")
        return number

    return checked


def _nonnegative(name: str) -> Any:
    def checked(value: object) -> Expr:
        number = exact(value, name)
        if number.is_negative:
            raise ValueError(f"{name} = {number} is negative. Give {name} >= 0.")
        return number

    return checked


def _begin(value: Any) -> Begin:
    if value not in ("last", "source"):
        raise ValueError(f"start = {value!r} is no place to start. Choose 'last' (warm) or 'source' (cold).")
    return value


def _held(value: object) -> Expr:
    share = exact(value, "held_out")
    if share.is_number and not 0 < share < 1:
        raise ValueError(f"held_out = {share} leaves nothing to learn from or to look at. Give 0 < held_out < 1.")
    return share


@frozen
class Descent(Learner):
    """Steps on the mean negative log-likelihood of a batch, in free coordinates: (mu, log V), logit p, log rate.

    Args:
        steps: number of steps, >= 1.
        rate: step size, > 0.
        batch: points in a batch, drawn with replacement and anew for every step; None takes all of them.
        start: "last", warm from the last model; or "source", cold from model 0.
        patience: None, or the number of steps after which descent is stopped where the loss on the points held out has
            had no new least value; the model of the least value is kept.
        held_out: the share of points that are looked at and not learned from, rounded down, where there is patience.
    """

    steps: int = field(converter=_counted("steps"))
    rate: Expr = field(converter=_positive("rate"))
    batch: int | None = field(default=None, converter=_optional("batch"), kw_only=True)
    start: Begin = field(default="last", converter=_begin, kw_only=True)
    patience: int | None = field(default=None, converter=_optional("patience"), kw_only=True)
    held_out: Expr = field(default=Rational(1, 5), converter=_held, kw_only=True)


@frozen
class SGD(Descent):
    """theta <- theta - rate v, v <- b v + g, with g the gradient of a batch's mean loss and b the momentum.

    Args:
        momentum: b >= 0; 0 forgets the steps before.
        natural: whether g is multiplied by the inverse Fisher information of a point, so that on a full batch the
            steps are those of `GradientSteps` on "log V".

    >>> SGD(100, Rational(1, 10), batch=32)
    SGD(steps=100, rate=1/10, batch=32, start='last', patience=None, held_out=1/5, momentum=0, natural=False)
    """

    momentum: Expr = field(default=S.Zero, converter=_nonnegative("momentum"), kw_only=True)
    natural: bool = field(default=False, kw_only=True)


@frozen
class Adam(Descent):
    """theta <- theta - rate m/(sqrt(v) + 10^-8), m and v running means of g and g^2, each over its start from 0.

    The running means forget at b1 = 9/10 and b2 = 999/1000. Source: D. P. Kingma and J. Ba, Adam (2015), algorithm 1.
    """


@frozen
class EM(Learner):
    """Expectation maximisation of a mixture, at most so many rounds.

    Args:
        steps: number of rounds at most, >= 1.
        tolerance: the climb ends when the mean log-likelihood of a point rises by less; 0 runs every round.
        floor: what is added to every variance in every round, >= 0 (scikit-learn's reg_covar).
        start: "last", warm from the last model, and from "k-means++" where the source is no mixture of as many
            components; or "k-means++" in every fit: centres drawn from the points with chances proportional to the
            squared distance from those before, every point then given to the centre nearest to it.

    >>> EM(100, tolerance=0).tolerance
    0
    """

    steps: int = field(default=100, converter=_counted("steps"))
    tolerance: Expr = field(default=Rational(1, 1000), converter=_nonnegative("tolerance"), kw_only=True)
    floor: Expr = field(default=Rational(1, 10**6), converter=_nonnegative("floor"), kw_only=True)
    start: Literal["last", "k-means++"] = field(default="last", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse a start that is none."""
        if self.start not in ("last", "k-means++"):
            raise ValueError(f"EM: start = {self.start!r} is no place to start. Choose 'last' or 'k-means++'.")


def _report(value: Any) -> Any:
    if value not in ("draw", "mean"):
        raise ValueError(f"report = {value!r} is no model. Choose 'draw', one from the posterior, or its 'mean'.")
    return value


@frozen
class SVI(Learner):
    """Stochastic variational inference by NumPyro: a normal guide, independent by coordinate, fitted by Adam.

    The coordinates are those of `Descent`, and the prior is Jeffreys', for a Gaussian 1/V, as in `PosteriorDraw`.

    Args:
        steps: number of steps, >= 1, each with one draw from the guide.
        rate: step size of Adam, > 0.
        report: "mean", the guide's median, or "draw", one draw from the guide.
        start: where the guide's median starts: "last", the last model; or "source", model 0.
    """

    steps: int = field(converter=_counted("steps"))
    rate: Expr = field(default=Rational(1, 100), converter=_positive("rate"))
    report: Literal["draw", "mean"] = field(default="mean", converter=_report, kw_only=True)
    start: Begin = field(default="last", converter=_begin, kw_only=True)


@frozen
class NUTS(Learner):
    """One posterior by NumPyro's no-U-turn sampler, begun at the last model; prior and coordinates as in `SVI`.

    Args:
        warmup: rounds in which the sampler adapts, >= 1.
        samples: rounds that are kept, >= 1.
        report: "draw", the last round; or "mean", the mean of the kept rounds in the sampler's coordinates.
    """

    warmup: int = field(default=100, converter=_counted("warmup"))
    samples: int = field(default=1, converter=_counted("samples"))
    report: Literal["draw", "mean"] = field(default="draw", converter=_report, kw_only=True)
