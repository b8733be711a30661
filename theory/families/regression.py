"""Linear regression on a random isotropic design, fitted by least squares again and again to its own responses.

Responses are y = X w_(k-1) + eps, the rows of X are N(0, I) and eps is N(0, noise). Only two numbers of the weights
matter: their component w along the true weights, of length w0, and the sum of their squares. With G = X'X Wishart and X
independent of eps,

    m >= d rows:  w_k = w_(k-1) + G^-1 X' eps, of which the last is sqrt(noise/chi) z, chi ~ chi-square(m - d + 1);
    m < d rows:   the least squares fit of smallest norm is the projection of w_(k-1) on a uniformly random subspace of
                  dimension m, plus sqrt(noise/chi) z in it, chi ~ chi-square(d - m + 1);

z standard normal and independent of chi. Where fits share rows, the increments depend on the past through X, and only
their first two moments are used.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from attrs import evolve, field, frozen
from sympy import Expr, S, Symbol

from theory import symbols
from theory.errors import NotClosed
from theory.estimators import MLE, Estimator, Unbiased
from theory.exact import counted, exact, finite
from theory.families.base import Batch, Derivable, Marginal, Parameters
from theory.innovations import ChiSquare, Normal
from theory.known import Known
from theory.regimes import Accumulate, Mixed, Replace
from theory.sampling import Faithful, Sampling, Tempered, VarianceFactor
from theory.sphere import Parts

Weights = tuple[Expr, Expr]
"""(component along the true weights, sum of squares)."""


@frozen
class Responses(Batch):
    """Least squares weights of ``size`` rows, of which ``fresh`` have responses that no earlier fit has seen.

    ``centre`` are the weights that the responses were generated with, ``noise`` the mean variance of the fresh ones.
    """

    centre: Weights = (S.Zero, S.Zero)
    fresh: Expr = S.Zero
    noise: Expr = S.Zero


_dimension = counted("dimension", "LinearRegression(dimension={}): weights are counted.")


def positive_noise(value: object) -> Expr:
    """Return the variance of the noise, checked; 0 is a loop without noise."""
    noise = exact(value, "noise")
    if noise.is_negative:
        raise ValueError(f"noise = {noise}: a variance is not negative. Give noise >= 0.")
    return noise


@frozen
class LinearRegression(Derivable):
    """Weights fitted by least squares on an isotropic Gaussian design; the source are the true weights, of length w0.

    ``LinearRegression.error`` = squares - 2 w0 w + w0^2 is the squared distance from the true weights, the test error
    without noise.

    Args:
        dimension: number of weights, d.
        noise: variance of the noise in every generation's responses, >= 0.
        w0: length of the true weights.
        design: "fresh" for a new X at every fit, "same" for one X that is drawn once.
        overparametrised: whether M < d, as long as M or d is a symbol; numbers decide by themselves.

    >>> LinearRegression(dimension=3).source()
    {w: w0, squares: w0**2}
    """

    w: ClassVar[Symbol] = symbols.w
    squares: ClassVar[Symbol] = symbols.squares
    error: ClassVar[Symbol] = symbols.error
    has_design: ClassVar[bool] = True

    dimension: Expr = field(default=symbols.d, converter=_dimension)
    noise: Expr = field(default=symbols.noise, converter=positive_noise)
    w0: Expr = field(default=symbols.w0, converter=lambda value: finite(value, "w0"))
    design: Literal["fresh", "same"] = field(default="fresh", kw_only=True)
    overparametrised: bool = field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse an unknown design."""
        if self.design not in ("fresh", "same"):
            raise ValueError(f"LinearRegression(design={self.design!r}) is not known. Choose 'fresh' or 'same'.")

    def source(self) -> Parameters:
        """Return {w: w0, squares: w0^2}."""
        return {self.w: self.w0, self.squares: self.w0**2}

    @property
    def free_symbols(self) -> set[Symbol]:
        """The symbols in dimension, noise and w0."""
        return set().union(*(value.free_symbols for value in (self.dimension, self.noise, self.w0)))

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put into dimension, noise and w0."""
        return evolve(
            self, dimension=self.dimension.subs(values), noise=self.noise.subs(values), w0=self.w0.subs(values)
        )

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Return the observable with the error written in w and squares."""
        return (Marginal(self, spelled(observable, self.error, self._error((self.w, self.squares)))),)

    def check(self, loop: Any) -> None:
        """Raise `NotClosed` for a loop in which w and squares alone do not say how they go on."""
        over = self._over(loop.samples)
        fixed_count = getattr(loop.regime, "fresh", True) and getattr(loop.regime, "count", "fixed") == "fixed"
        regimes = (Replace,) if over else (Replace, Accumulate) if self.design == "same" else _REGIMES
        if type(loop.regime) not in regimes or not fixed_count:
            rows = "fewer rows than weights" if over else f"a {self.design} design"
            names = " or ".join(f"{kind.__name__}" for kind in regimes)
            raise NotClosed(f"regime: {loop.regime} of {rows} does not close in w and squares. Ask for {names}.")
        if over and self.design == "same":
            raise NotClosed("family: the same design of fewer rows than weights is not derived. Ask for a fresh one.")
        if self.overparametrised and loop.samples.is_infinite:
            raise NotClosed("family: samples = oo leaves no fewer rows than weights. Ask without overparametrised.")
        _require_least_squares(loop.estimator)

    def _over(self, size: Expr) -> bool:
        """Return whether there are fewer rows than weights."""
        decided = (self.dimension - size).is_positive
        return self.overparametrised if decided is None else decided

    def batch(self, law: Parameters, size: Expr, label: str) -> Responses:
        """Return the weights fitted to ``size`` rows with responses from ``law``."""
        centre = (law[self.w], law[self.squares])
        if self.design == "same":
            return self._shared(size, size, self.noise, centre)
        return self._projected(size, centre, label) if self._over(size) else self._independent(size, centre, label)

    def drawn(self, law: Parameters, sampling: Sampling, size: Expr, fitted: Expr | None) -> Batch:
        """Return the fit to responses of a model, their noise scaled where the sampling is tempered."""
        if fitted is not None:
            return Derivable.drawn(self, law, sampling, size, fitted)
        return evolve(self, noise=distorted_noise(self, sampling)).batch(law, size, "model")

    def pool(self, one: Batch, two: Batch) -> Responses:
        """Return the weights fitted to the rows of both."""
        if not isinstance(one, Responses) or not isinstance(two, Responses):
            raise TypeError("regression pools its own batches")
        if one.centre == two.centre:
            size, fresh = (one.size + two.size).expand(), one.fresh + two.fresh
            return self._shared(size, fresh, _mean_noise(one, two), one.centre)
        return self._mixed(one, two)

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return the least squares weights."""
        del state
        _require_least_squares(estimator)
        w, squares = batch.statistics
        return {self.w: w, self.squares: squares}

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Responses:
        """Return the rows that ``law`` was fitted to: their least squares weights are the law's."""
        del estimator
        centre = (law[self.w], law[self.squares])
        return Responses(size, centre, (), centre)

    def weighted(self, fits: Sequence[Parameters], weights: Sequence[Expr], *, between: bool) -> Parameters:
        """Refuse: the weighted fit is no mean of the parts' fits."""
        del fits, weights, between
        raise NotClosed("regime: weighted least squares of two random designs does not close. Ask for Mixed(alpha).")

    def _independent(self, size: Expr, centre: Weights, label: str) -> Responses:
        """Return the weights plus sqrt(noise/chi) z: eps along the true direction, a vector of square Q across it.

        The weights' own part across, of square |weights|^2 - w^2, meets the noise there at a uniformly random angle.
        """
        (w, squares), d = centre, self.dimension
        chi, more = (Symbol(f"{x}_{label}", positive=True) for x in ("chi", "more"))
        eps, x, y = (Symbol(f"{x}_{label}", real=True) for x in ("eps", "x", "y"))
        Q = self.noise / chi * more
        laws = (
            ChiSquare(chi, size - d + 1),
            ChiSquare(more, d - 1),
            Normal(eps, self.noise / chi),
            Parts((x, y), (S.One, d - 2), (squares - w**2) * Q),
        )
        return Responses(size, (w + eps, squares + 2 * (w * eps + x) + eps**2 + Q), laws, centre, size, self.noise)

    def _projected(self, size: Expr, centre: Weights, label: str) -> Responses:
        """Return the projected weights plus sqrt(noise/chi) z in the row space.

        The true direction e projects on c a, a a unit vector. The weights' part across e projects on s x a plus b y c2,
        b a unit vector across a: (x, y) are its parts along and across one direction of R^(d-1).
        """
        (w, squares), d = centre, self.dimension
        chi, more = (Symbol(f"{x}_{label}", positive=True) for x in ("chi", "more"))
        c, s, x, y, c2, s2, eps, v = (
            Symbol(f"{x}_{label}", real=True) for x in ("c", "s", "x", "y", "c2", "s2", "eps", "v")
        )
        scale = self.noise / chi
        laws = (
            ChiSquare(chi, d - size + 1),
            ChiSquare(more, size - 2),
            Normal(eps, scale),
            Normal(v, scale),
            Parts((c, s), (size, d - size)),
            Parts((x, y), (S.One, d - 2), squares - w**2),
            Parts((c2, s2), (size - 1, d - size - 1)),
        )
        along, across = c * w + s * x + eps, c2 * y + v
        return Responses(size, (c * along, along**2 + across**2 + scale * more), laws, centre, size, self.noise)

    def _shared(self, size: Expr, fresh: Expr, noise: Expr, centre: Weights) -> Responses:
        """Return w + u with E u = 0, to second order: the increment of ``fresh`` rows among ``size``.

        For rows drawn anew E tr(G^-1 X'X G^-1) of the fresh ones is, by exchangeability, their share of
        E tr G^-1 = d/(size - d - 1). For the same rows again G is size/fresh times that of the fresh ones.
        """
        w, squares = centre
        spread = noise * fresh / size / (size - self.dimension - 1)
        if self.design == "same":
            spread = noise * (fresh / size) ** 2 / (fresh - self.dimension - 1)
        statistics, law = self._second_order(fresh, w, (S.Zero, spread, squares + self.dimension * spread))
        return Responses(size, statistics, (law,), centre, fresh, noise)

    def _mixed(self, one: Responses, two: Responses) -> Responses:
        """Return w* + U delta + noise, delta = weights - w* and U = G^-1 G_model, of which E U is the model's share.

        U = G^-1/2 B G^1/2 with B matrix-beta and independent of G. For symmetric A, E[B A B] = (a + b) A + b tr(A) I,
        with E B_11^2 = a + 2b and E det B_2x2 = a - b the zonal moments. By E G_11 (G^-1)_11 = (m - 2)/(m - d - 1) and
        E G_11 tr G^-1 = (m d - 2)/(m - d - 1), E[U delta delta' U'] = own delta delta' + spill |delta|^2 I.
        """
        truth = (self.w0, self.w0**2)
        model = two if one.centre == truth else one
        if truth not in (one.centre, two.centre) or one.fresh != one.size or two.fresh != two.size:
            raise NotClosed("regime: only real rows and those of the last model mix. Ask for Replace or Mixed(alpha).")
        d, m, m2 = self.dimension, (one.size + two.size).expand(), model.size
        square, minor = m2 * (m2 + 2) / (m * (m + 2)), m2 * (m2 - 1) / (m * (m - 1))
        a, b = (square + 2 * minor) / 3, (square - minor) / 3
        own, spill = a + b - 2 * b / (m - d - 1), b * m / (m - d - 1)
        delta, error = model.centre[0] - self.w0, self._error(model.centre)
        mean, spread = m2 / m * delta, spill * error + _mean_noise(one, two) / (m - d - 1)
        known = (mean, own * delta**2 + spread, self.w0**2 + 2 * self.w0 * mean + own * error + d * spread)
        statistics, law = self._second_order(m, self.w0, known)
        return Responses(m, statistics, (law,), (S.NaN, S.NaN), m, _mean_noise(one, two))

    def _second_order(self, fresh: Expr, base: Expr, known: tuple[Expr, Expr, Expr]) -> tuple[Weights, Known]:
        """Return (base + u, r) and their law, known = (E u, E u^2, E r); higher moments are not."""
        u, r = Symbol("u", real=True), Symbol("r", nonnegative=True)
        moments = dict(zip(((1, 0), (2, 0), (0, 1)), known, strict=True))
        # Of several fits the first has the fewest rows, the fresh ones alone.
        return (base + u, r), Known((u, r), moments, fresh - self.dimension - 1)

    def _error(self, weights: Weights) -> Expr:
        """Return |weights - w*|^2."""
        w, squares = weights
        return squares - 2 * self.w0 * w + self.w0**2

    def assumptions(self) -> tuple[str, ...]:
        """Return what the laws above need."""
        rows = "no more rows than weights" if self.overparametrised else "at least as many rows as weights"
        return (
            "rows of the design are independent N(0, I)",
            "noise is Gaussian and independent of the design",
            f"{rows}, where M or the dimension is a symbol",
        )


_REGIMES = (Replace, Accumulate, Mixed)


def _mean_noise(one: Responses, two: Responses) -> Expr:
    """Return the mean variance of the noise in the fresh rows of both."""
    return (one.fresh * one.noise + two.fresh * two.noise) / (one.fresh + two.fresh)


def distorted_noise(family: Any, sampling: Sampling) -> Expr:
    """Return the variance of the noise in responses that ``sampling`` draws; their means stay."""
    factor = {Tempered: "tau", VarianceFactor: "lam"}.get(type(sampling))
    if factor is None and not isinstance(sampling, Faithful):
        raise NotClosed(
            f"sampling: {sampling} of responses is not derived for {type(family).__name__}. "
            "Ask for Tempered(tau) or VarianceFactor(lam)."
        )
    return family.noise * (getattr(sampling, factor) if factor else 1)


def _require_least_squares(estimator: Estimator) -> None:
    if not isinstance(estimator, MLE | Unbiased):
        raise NotClosed(
            f"estimator: {estimator} on a random design does not close. "
            "Ask for MLE(), which is least squares, or for a FixedDesignRegression."
        )


def spelled(observable: Expr, error: Symbol, value: Expr) -> Expr:
    """Return an observable with the error written out.

    Raises:
        ValueError: a symbol of the error's name that is another one.
    """
    if any(x.name == error.name and x != error for x in observable.free_symbols if isinstance(x, Symbol)):
        raise ValueError(
            f"{error} in {observable} is not the family's error, only a symbol of that name. "
            "Take it from the family, as LinearRegression.error."
        )
    return observable.xreplace({error: value})
