"""Learning procedures that stop short of the exact fit: shrunken, damped, floored, stepwise, drawn from a posterior.

Each wraps an exact fit (`of`, maximum likelihood unless said) and reports something between it, the model before and
the source. This is the functional approximation error, apart from the multiple of the variance.
"""

from typing import Any, Literal

from attrs import evolve, field, fields, frozen
from sympy import Expr, S, exp, floor

from theory.errors import NotClosed
from theory.estimators import MLE, Estimator, Fit, Unbiased
from theory.exact import exact, share


def _floor(value: object) -> Expr:
    eta = exact(value, "eta")
    if eta.is_negative:
        raise ValueError(f"Floor(eta={eta}): what is added to a variance is not negative. Give eta >= 0.")
    return eta


class Procedure(Estimator):
    """A learning procedure around an exact fit."""

    keeps_statistics = False
    of: Estimator

    def __attrs_post_init__(self) -> None:
        """Refuse a fit whose points are not drawn from the model that it reports."""
        if isinstance(self.of, PosteriorPredictive):
            raise ValueError(
                f"{type(self).__name__}(of={self.of}): a posterior predictive law belongs to the exact fit alone. "
                "Use PosteriorPredictive() by itself, or another fit inside."
            )

    @property
    def needs_variance(self) -> bool:
        """Whether the fit inside needs a variance."""
        return self.of.needs_variance

    def divisor(self, size: Expr) -> Expr:
        """Return the divisor of the fit inside."""
        return self.of.divisor(size)

    def population(self) -> Estimator:
        """Return the procedure around what the fit inside is for infinitely many points."""
        around = any(f.init for f in fields(type(self)) if f.name == "of")
        return evolve(self, of=self.of.population()) if around else self

    def exists(self, size: Expr) -> Expr | None:
        """Return what the fit inside needs."""
        return self.of.exists(size)

    def exact(self) -> Estimator:
        """Return the fit inside, exact."""
        return self.of.exact()


@frozen
class Shrinkage(Procedure):
    """theta' = w theta_0 + (1 - w) theta_hat: every parameter is drawn towards the source's, as by a prior's mean.

    Args:
        w: weight of the source, in [0, 1]; MAP with a conjugate prior worth a points has w = a/(a + M).
        of: the fit that is shrunken.
    """

    w: Expr = field(converter=share("w", "w = {} is no weight."))
    of: Estimator = field(factory=MLE)

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Fit:
        """Return the weighted means of source and fit."""
        fitted, laws = self.of.fit(family, batch, last, state)
        source = family.start(state)
        return {x: self.w * source[x] + (1 - self.w) * value for x, value in fitted.items()}, laws


@frozen
class Damped(Procedure):
    """theta' = theta + k (theta_hat - theta): a step of size k from the last model towards the fit.

    Args:
        k: step, in [0, 1]; 1 is the whole fit.
        of: the fit that is aimed at.
    """

    k: Expr = field(converter=share("k", "k = {} is no weight."))
    of: Estimator = field(factory=MLE)

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Fit:
        """Return the step."""
        fitted, laws = self.of.fit(family, batch, last, state)
        return {x: last[x] + self.k * (value - last[x]) for x, value in fitted.items()}, laws


@frozen
class Floor(Procedure):
    """V' = V_hat + eta: a constant is added to every fitted variance (scikit-learn's reg_covar).

    To the variances of a mixture it is added in every round of EM, on top of what `EM` itself adds.

    Args:
        eta: what is added, >= 0.
        of: the fit that it is added to.
    """

    eta: Expr = field(converter=_floor)
    of: Estimator = field(factory=MLE)

    @property
    def needs_variance(self) -> bool:
        """Whether it has a meaning only where a variance is fitted: always."""
        return True

    def suits(self, family: Any) -> bool:
        """Return whether the family fits variances, its own or those of its parts."""
        return family.has_variance or getattr(family, "parts_have_variances", False)

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Fit:
        """Return the fit with raised variances."""
        fitted, laws = self.of.fit(family, batch, last, state)
        return {x: value + self.eta if x in family.scales else value for x, value in fitted.items()}, laws


def _grid(value: object) -> Expr:
    step = exact(value, "step")
    if step.is_positive is False:
        raise ValueError(f"Quantised(step={step}): parameters are kept on no grid of that width. Give step > 0.")
    return step


@frozen
class Quantised(Procedure):
    """theta' = step floor(theta_hat/step + 1/2): every parameter is kept as the nearest multiple of a step.

    A variance below half a step becomes 0, and stays there. A second rounding changes nothing: with infinitely many
    points it is paid once.

    Args:
        step: distance of the values that can be kept, > 0.
        of: the fit whose parameters are rounded.

    >>> from theory import Gaussian, Loop, expect
    >>> loop = Loop(Gaussian(0, 1), estimator=Quantised("1/4"), samples=10)
    >>> expect(loop, Gaussian.V)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    theory.errors.NotClosed: ... is no polynomial in mu, V, eps_model, chi_model, so it does not close. ...
    """

    step: Expr = field(converter=_grid)
    of: Estimator = field(factory=MLE)

    def suits(self, family: Any) -> bool:
        """Return whether mean and variance are numbers, which may be rounded one by one."""
        return bool(family.scales) and all(x.is_Symbol for x in family.scales)

    def misfit(self, family: Any) -> str:
        """Return what cannot be rounded."""
        return f"{self} rounds a mean and a variance, and a {type(family).__name__} rounded so may be no law"

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Fit:
        """Return the rounded fit."""
        fitted, laws = self.of.fit(family, batch, last, state)
        return {x: self.step * floor(value / self.step + S.Half) for x, value in fitted.items()}, laws


def _steps(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"GradientSteps: {value!r} steps. Give a whole number >= 1.")
    return value


def _rate(value: object) -> Expr:
    eta = exact(value, "eta")
    if eta.is_positive is False:
        raise ValueError(f"GradientSteps(eta={eta}): a step size is positive. Give eta > 0.")
    return eta


def _coordinate(value: Any) -> Any:
    if value not in ("V", "log V"):
        raise ValueError(f"GradientSteps(on={value!r}) is no coordinate. Choose 'V' or 'log V'.")
    return value


@frozen
class GradientSteps(Procedure):
    """Full-batch natural-gradient steps on the log-likelihood, started from the last model.

    On the mean parameters theta <- theta + eta (target - theta); for a Gaussian the target is (xbar, S) with
    S = sum (x - mu)^2/m about the current mu. On "log V" the variance moves by log V <- log V + eta (S/V - 1).

    Args:
        steps: number of steps, >= 1.
        eta: step size, > 0.
        on: the coordinate in which the variance moves, "V" or "log V".
    """

    steps: int = field(converter=_steps)
    eta: Expr = field(converter=_rate)
    on: Literal["V", "log V"] = field(default="V", converter=_coordinate)
    of: Estimator = field(factory=MLE, init=False, repr=False)

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Fit:
        """Return the model after the steps."""
        if self.on == "log V" and not batch.observed:
            return self._log_step(family, batch, last)
        model = dict(last)
        for _ in range(self.steps):
            target = family.target(batch, model, state)
            model = {x: self._moved(model[x], target[x], x in family.scales) for x in target}
        return model, batch.laws

    def _moved(self, value: Expr, target: Expr, scale: bool) -> Expr:
        """Return the parameter after a step, taken on its logarithm for a variance with on="log V"."""
        if scale and self.on == "log V":
            return value * exp(self.eta * (target / value - 1))
        return value + self.eta * (target - value)

    def _log_step(self, family: Any, batch: Any, last: Any) -> Fit:
        if self.steps != 1:
            raise NotClosed(
                f"estimator: {self.steps} steps on log V nest exponentials. Ask for one step, or simulate(loop)."
            )
        return family.log_step(batch, last, self.eta)


@frozen
class PosteriorDraw(Procedure):
    """The parameters are drawn from their posterior under the Jeffreys prior (for a Gaussian the prior 1/V).

    For a Gaussian V' = SS/chi with chi ~ chi-square(m - 1), and mu' ~ N(xbar, V'/m).
    """

    of: Estimator = field(factory=Unbiased, init=False, repr=False)

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Fit:
        """Return the draw, with its own innovations after those of the batch."""
        del last
        drawn, laws = family.posterior(batch, state)
        return drawn, batch.laws + laws


@frozen
class PosteriorPredictive(Procedure):
    """The exact fit is kept, and the next points come from its posterior predictive law.

    For a Gaussian with the prior 1/V the points are mu + sqrt(V (1 + 1/m)) t, t of Student's law with m - 1 degrees,
    where (mu, V) are the mean and the unbiased variance of the m points fitted.
    """

    keeps_statistics = True

    of: Estimator = field(factory=Unbiased, init=False, repr=False)

    def fit(self, family: Any, batch: Any, last: Any, state: Any) -> Fit:
        """Return the exact fit."""
        return self.of.fit(family, batch, last, state)
