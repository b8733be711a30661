"""What every family knows: its parameters, its source, and, where moments close, the statistics of a sample.

`Family` is enough to be simulated; `Stepped` adds what a derivation needs, and `Derivable` gets it from samples.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from attrs import field, frozen
from sympy import Add, Expr, S, Symbol

from theory.errors import NotClosed
from theory.estimators import MLE, Estimator
from theory.innovations import Law
from theory.points import Points
from theory.regimes import Regime
from theory.sampling import Faithful, Sampling

Parameters = Mapping[Expr, Expr]
"""Value of each state symbol."""


@frozen
class Batch:
    """Sufficient statistics of ``size`` points, as expressions in the laws' symbols and in the model they came from."""

    size: Expr
    statistics: tuple[Expr, ...]
    laws: tuple[Law, ...] = ()
    observed: bool = field(default=False, kw_only=True)
    """Whether the statistics are letters for numbers that are there, so that no moments will be asked of them."""


@frozen
class Marginal:
    """One piece of an additive observable: a family of small state and the observable there.

    ``enter`` turns an expectation, in the source's parameters, into its share of the sum; ``restore`` does the same for
    an expression in the small state, giving one in the whole state.
    """

    family: "Stepped"
    observable: Expr
    enter: Callable[[Expr], Expr] = lambda expectation: expectation
    restore: Callable[[Expr], Expr] = lambda expression: expression


class Family(ABC):
    """A parametric family together with its source law; frozen data."""

    has_variance = False
    """Whether a variance is fitted, so that an estimator has something to choose."""
    scales: ClassVar[tuple[Expr, ...]] = ()
    """The state symbols that are variances."""
    normal = False
    """Whether the points of a source are normal, along every direction."""

    @property
    def title(self) -> str:
        """What the family is called in refusals."""
        return type(self).__name__

    @abstractmethod
    def source(self) -> Parameters:
        """Return the source's value of every state symbol."""

    @property
    def free_symbols(self) -> set[Symbol]:
        """The symbols in the source's values."""
        return {s for value in self.source().values() for s in value.free_symbols}

    @abstractmethod
    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with exact values put in for source symbols."""

    def project(self, source: "Family") -> "Family":
        """Return this family with its source replaced by the law in it nearest to ``source`` in KL(source || law)."""
        if type(source) is not type(self):
            raise ValueError(
                f"{type(self).__name__} does not know the projection of a {type(source).__name__} source. "
                f"Give a {type(self).__name__} source."
            )
        return source

    def divergence(self, source: "Family") -> Expr:
        """Return KL(source || projection), 0 when the family contains the source."""
        self.project(source)
        return S.Zero

    def outside(self, source: "Family | None") -> "Family | None":
        """Return the source where its points do not follow the law in the family that it is seen as, else None."""
        del source
        return None

    def centred(self) -> tuple[Expr, Points]:
        """Return the mean of a point of the source and the law of the point about it, for another family to fit."""
        raise ValueError(
            f"source: the moments of a {type(self).__name__} point are not those of one number. "
            "Give a law of one number with known moments, such as Laplace(0, 1)."
        )

    def differential_entropy(self) -> Expr:
        """Return -E log f(x) for a point x of the source with the density f."""
        raise NotClosed(
            f"source: a {type(self).__name__} law has no entropy in closed form, so its divergence from another has "
            "none. Ask expect(loop, of) for moments."
        )

    def drawn_as(self, sampling: Sampling) -> "Family":
        """Return the law that ``sampling`` draws from when it is asked to draw from the source."""
        if isinstance(sampling, Faithful):
            return self
        raise NotClosed(
            f"sampling: {sampling} of a {type(self).__name__} source is not derived. "
            "Ask for faithful sampling, or simulate(loop)."
        )

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Split an observable into pieces that derive on their own, or refuse by name."""
        raise NotClosed(
            f"family: {type(self).__name__} has no moments of {observable} in closed form. Ask simulate(loop) instead."
        )

    def point(self) -> tuple[Expr, Expr]:
        """Return mean and variance of a point of the model, as observables."""
        raise NotClosed(
            f"family: {type(self).__name__} has no one mean and variance of a point. "
            "Ask expect(loop, of) for the parameters, or simulate(loop)."
        )

    def reach(self) -> tuple[Expr, Expr, Expr]:
        """Return (r, shape, scale): how far a point lies out is r = fitted parameter * scale * Gamma(shape, 1)."""
        raise NotClosed(
            f"family: the tail of {type(self).__name__} is no multiple of its parameter by a gamma variable. "
            "Ask expect(loop, of) for its moments, absorption(loop) for counts, or simulate(loop)."
        )

    def assumptions(self) -> tuple[str, ...]:
        """Return in words what derivations in this family take for granted."""
        return ()


class Stepped(Family):
    """A family whose refits are one step of a Markov chain on its *state*, with conditional moments in closed form."""

    def state(self, observable: Expr) -> tuple[Expr, ...]:
        """Return the state symbols that the moments of ``observable`` need."""
        del observable
        return tuple(self.source())

    def start(self, state: Iterable[Expr]) -> Parameters:
        """Return the source's values of the given state symbols."""
        source = self.source()
        return {symbol: source[symbol] for symbol in state if symbol in source}

    def check(self, loop: Any) -> None:
        """Refuse, by name, a loop of which the family's laws below are not the truth."""
        del loop

    def model(self, state: Sequence[Expr]) -> Parameters:
        """Return the last model as the parameters that a refit works on: here the state itself."""
        return {symbol: symbol for symbol in state}

    def completed(
        self, fitted: Parameters, laws: tuple[Law, ...], state: Sequence[Expr]
    ) -> tuple[Parameters, tuple[Law, ...]]:
        """Return the next value of every state symbol, with its laws, from the fitted parameters and theirs."""
        del state
        return fitted, laws

    @abstractmethod
    def refit(
        self, estimator: Estimator, regime: Regime, sampling: Sampling, k: Expr
    ) -> tuple[Parameters, tuple[Law, ...]] | None:
        """Return update and laws of fit k, None where they follow from the data that the regime names."""

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Return the observable whole: a derivable family needs no split."""
        return (Marginal(self, observable),)


class Derivable(Stepped):
    """A family whose refits have conditional moments in closed form because those of a sample's statistics have.

    It can say the sufficient statistics of a sample (`batch`), pool two (`pool`), fit from them (`fit`) and undo a fit
    (`unfit`).
    """

    tells_points = False
    """Whether a fit tells the points that it was made from, but for their order, as frequencies of types do."""

    def refit(
        self, estimator: Estimator, regime: Regime, sampling: Sampling, k: Expr
    ) -> tuple[Parameters, tuple[Law, ...]] | None:
        """Return None: a fit follows from its data."""
        return None

    @abstractmethod
    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the statistics of ``size`` independent points of ``law``; ``label`` keeps two batches' symbols
        apart.
        """

    def observed(self, outside: Family, size: Expr, label: str) -> Batch:
        """Return the statistics of ``size`` points of a source outside the family."""
        raise self._refusal("source", f"moments of a sample from a {type(outside).__name__} source")

    @abstractmethod
    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the statistics of the two samples together."""

    @abstractmethod
    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return the fitted parameters."""

    @abstractmethod
    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return the statistics of the sample of ``size`` points from which ``law`` was fitted."""

    def distorted(self, law: Parameters, sampling: Sampling) -> Parameters:
        """Return the law that ``sampling`` draws from when the model is ``law``."""
        if isinstance(sampling, Faithful):
            return law
        raise NotClosed(
            f"sampling: {sampling} does not map the {self.title} family's moments to polynomials of them. "
            "Ask simulate(loop, method='data') instead."
        )

    def drawn(self, law: Parameters, sampling: Sampling, size: Expr, fitted: Expr | None) -> Batch:
        """Return ``size`` points that ``sampling`` draws from a model.

        ``fitted`` is the number of points behind the model where they come from its posterior predictive law.
        """
        if fitted is not None:
            raise self._refusal("estimator", "a posterior predictive law")
        return self.batch(self.distorted(law, sampling), size, "model")

    def mixture(self, source: Any, model: Any, share: Expr, size: Expr, sampling: Sampling) -> Batch:
        """Return ``size`` points, each from the source with probability ``share``, else from the model.

        Either is parameters, or a law outside the family.
        """
        raise self._refusal("regime", "moments of points from a mixture of two of its laws")

    def subsample(self, pool: Batch, size: Expr) -> Batch:
        """Return the statistics of ``size`` points drawn without replacement from the pool."""
        raise self._refusal("regime", "moments of a subsample without replacement")

    def survivors(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return the statistics of ``size`` of the size + 1 points from which ``law`` was fitted, any one left out."""
        if not (self.tells_points and estimator.keeps_statistics):
            raise NotClosed(
                f"regime: a fit by {estimator} of the {type(self).__name__} family does not tell its points, so that "
                "none of them can be replaced. Ask for MLE() of Bernoulli or Categorical."
            )
        all_of_them, gone = self.unfit(law, size + 1, estimator), self.batch(law, S.One, "gone")
        left = tuple(a - b for a, b in zip(all_of_them.statistics, gone.statistics, strict=True))
        return Batch(size, left, all_of_them.laws + gone.laws)

    def remembered(self, batch: Batch, label: str, state: Sequence[Expr]) -> Parameters:
        """Return letters for the mean statistics of a batch that a loop remembers, and their values."""
        raise self._refusal("regime", "mean statistics of a pool")

    def recalled(self, size: Expr, label: str, state: Sequence[Expr]) -> Batch:
        """Return the batch of ``size`` points behind the letters."""
        raise self._refusal("regime", "mean statistics of a pool")

    def weighted(self, fits: Sequence[Parameters], weights: Sequence[Expr], *, between: bool) -> Parameters:
        """Return the weighted fit from the fits of its parts: means of mean parameters."""
        del between
        return {x: Add(*(w * fit[x] for w, fit in zip(weights, fits, strict=True))) for x in fits[0]}

    def target(self, batch: Batch, model: Parameters, state: Sequence[Expr]) -> Parameters:
        """Return where a natural-gradient step from ``model`` on the batch's likelihood points; a fit of mean
        parameters.
        """
        del model
        return self.fit(batch, MLE(), state)

    def log_step(self, batch: Batch, model: Parameters, eta: Expr) -> tuple[Parameters, tuple[Law, ...]]:
        """Return one gradient step on the logarithm of the variance, with its laws."""
        raise self._refusal("estimator", "a variance to take steps on")

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return a draw from the Jeffreys posterior, with the laws of its own innovations."""
        raise self._refusal("estimator", "a posterior draw")

    def _refusal(self, axis: str, what: str) -> NotClosed:
        return NotClosed(f"{axis}: the {self.title} family has no {what} in closed form. Ask simulate(loop).")
