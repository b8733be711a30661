"""Linear regression on a given design, direction by direction of its Gram matrix.

Along an eigendirection of X'X with eigenvalue S the least squares weight of responses X w + eps is w + N(0, noise/S),
and the directions are independent: nothing else of X matters.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from attrs import evolve, field, frozen
from sympy import Add, Expr, Indexed, IndexedBase, S, Symbol

from theory import symbols
from theory.estimators import Estimator
from theory.exact import sequence
from theory.families.base import Batch, Derivable, Marginal, Parameters
from theory.families.regression import distorted_noise, positive_noise, spelled
from theory.filters import SpectralFilter
from theory.innovations import Normal
from theory.sampling import Sampling


def _eigenvalues(values: Iterable[object]) -> tuple[Expr, ...]:
    eigenvalues = sequence(values, "eigenvalues")
    for k, value in enumerate(eigenvalues):
        if value.is_positive is False:
            raise ValueError(f"FixedDesignRegression: eigenvalue {k} is {value}. Give positive ones.")
    return eigenvalues


def _weights(values: Iterable[object] | None) -> tuple[Expr, ...] | None:
    return None if values is None else sequence(values, "weights")


@frozen
class FixedDesignRegression(Derivable):
    """Weights w[k] along the eigendirections of a given design; the source are the true weights.

    Args:
        eigenvalues: those of X'X/m, > 0, one for each direction: what one row tells of it on average. A part of m rows
            has m times as much, so that parts of a sample are whole copies of one small design.
        noise: variance of the noise in every generation's responses, >= 0.
        weights: true weight along each direction; symbols w0_0, w0_1, ... where left out.

    >>> FixedDesignRegression([1, 2]).source()
    {w[0]: w0_0, w[1]: w0_1}
    """

    w: ClassVar[IndexedBase] = IndexedBase("w", real=True)
    error: ClassVar[Symbol] = symbols.error
    has_design: ClassVar[bool] = True

    eigenvalues: tuple[Expr, ...] = field(converter=_eigenvalues)
    noise: Expr = field(default=symbols.noise, converter=positive_noise)
    weights: tuple[Expr, ...] | None = field(default=None, converter=_weights)

    def __attrs_post_init__(self) -> None:
        """Refuse lengths that differ."""
        if not self.eigenvalues or (self.weights is not None and len(self.weights) != len(self.eigenvalues)):
            raise ValueError(
                f"FixedDesignRegression: {len(self.eigenvalues)} eigenvalues and {len(self.weights or ())} weights. "
                "Give at least one eigenvalue, and a weight for each."
            )

    def source(self) -> Parameters:
        """Return {w[k]: weight k}."""
        directions = range(len(self.eigenvalues))
        true = self.weights or tuple(Symbol(f"w0_{k}", real=True) for k in directions)
        return {self.w[k]: true[k] for k in directions}

    @property
    def free_symbols(self) -> set[Symbol]:
        """The symbols in weights, eigenvalues and noise."""
        return set().union(*(x.free_symbols for x in (*self.source().values(), *self.eigenvalues, self.noise)))

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put into weights, eigenvalues and noise."""
        true = [value.subs(values) for value in self.source().values()]
        return evolve(
            self, eigenvalues=[x.subs(values) for x in self.eigenvalues], noise=self.noise.subs(values), weights=true
        )

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Return the observable with the error written as the sum of (w[k] - true weight k)^2."""
        squares = Add(*((w - true) ** 2 for w, true in self.source().items()))
        return (Marginal(self, spelled(observable, self.error, squares)),)

    def state(self, observable: Expr) -> tuple[Expr, ...]:
        """Return the weights in the observable."""
        here = tuple(x for x in self.source() if observable.has(x))
        if strange := {x for x in observable.atoms(Indexed) if x.base == self.w} - set(here):
            raise ValueError(
                f"{min(map(str, strange))} does not exist: there are {len(self.eigenvalues)} directions. Count from 0."
            )
        return here or (self.w[0],)

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the least squares weights w[k] + eps, eps ~ N(0, noise/(m s_k))."""
        statistics, laws = [], []
        for x, w in law.items():
            eps = Symbol(f"eps{x.indices[0]}_{label}", real=True)
            statistics.append(w + eps)
            laws.append(Normal(eps, self.noise / self._gram(x, size)))
        return Batch(size, tuple(statistics), tuple(laws))

    def drawn(self, law: Parameters, sampling: Sampling, size: Expr, fitted: Expr | None) -> Batch:
        """Return the fit to responses of a model, their noise scaled where the sampling is tempered."""
        if fitted is not None:
            return Derivable.drawn(self, law, sampling, size, fitted)
        return evolve(self, noise=distorted_noise(self, sampling)).batch(law, size, "model")

    def _gram(self, x: Any, size: Expr) -> Expr:
        return size * self.eigenvalues[int(x.indices[0])]

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the means of the parts' least squares weights, by their rows."""
        size = one.size + two.size
        pairs = zip(one.statistics, two.statistics, strict=True)
        means = tuple((one.size * a + two.size * b) / size for a, b in pairs)
        return Batch(size, means, one.laws + two.laws)

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return the least squares weights, or a share of the way to them from 0 or from the last model."""
        fitted = dict(zip(state, batch.statistics, strict=True))
        if not isinstance(estimator, SpectralFilter):
            return fitted
        shares = {x: estimator.share(self._gram(x, batch.size)) for x in fitted}
        starts = {x: x if estimator.warm else S.Zero for x in fitted}
        return {x: starts[x] + shares[x] * (t - starts[x]) for x, t in fitted.items()}

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return the least squares weights of the rows that ``law`` was fitted to."""
        del estimator
        return Batch(size, tuple(law.values()))

    def remembered(self, batch: Batch, label: str, state: Sequence[Expr]) -> Parameters:
        """Return the least squares weights of the batch."""
        return dict(zip(_letters(label, state), batch.statistics, strict=True))

    def recalled(self, size: Expr, label: str, state: Sequence[Expr]) -> Batch:
        """Return the batch that has the remembered least squares weights."""
        return Batch(size, _letters(label, state))

    def assumptions(self) -> tuple[str, ...]:
        """Return what the noise has to be."""
        return ("the design is the same for every fit", "noise is Gaussian and independent between generations")


def _letters(label: str, state: Sequence[Expr]) -> tuple[Symbol, ...]:
    return tuple(Symbol(f"w{x.indices[0]}_{label}", real=True) for x in state if isinstance(x, Indexed))
