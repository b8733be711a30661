"""What an estimator makes of its data: exact fits by the family's kit, and all else by the theory's own formulas.

A procedure of the theory maps fits, the last model and the source, as expressions, to the next model. Here they are
letters, and what comes back is compiled: weighted means, steps, shrinkage and posterior draws are written once.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from attrs import evolve, fields, frozen
from jax import lax
from sympy import Add, Expr, Symbol, sqrt

from numerics.chains import Given
from numerics.kits.descent import Descending
from numerics.kits.kit import Kit, Model
from numerics.kits.language import Language, language
from numerics.kits.likelihoods import likelihood
from numerics.kits.points import Data
from numerics.printer import to_jax
from numerics.samplers import draw, parameters, slot_key
from numerics.samplers.cipher import Key
from theory.errors import NotClosed
from theory.estimators import MLE, Estimator, Unbiased
from theory.families import Fitted, LocationScale, Mixture, ProductCategorical, ProjectedGaussian
from theory.families.base import Batch, Parameters
from theory.filters import SpectralFilter
from theory.innovations import Normal
from theory.learners import EM, NUTS, SGD, SVI, Descent, Learner
from theory.loop import Loop
from theory.procedures import Floor, GradientSteps, PosteriorDraw, PosteriorPredictive, Procedure
from theory.symbols import n

Learn = Callable[[Key, Given, Sequence[Data], Any, Model, Any], Model]
"""(key, given, sets of data, their divisors, last model, whether it is the first fit) -> model."""


def innermost(estimator: Any) -> Estimator:
    """Return the fit inside procedures around procedures.

    >>> from theory import Damped, Shrinkage
    >>> innermost(Shrinkage("1/2", Damped("1/3", Unbiased())))
    Unbiased()
    """
    return innermost(estimator.of) if _wraps(estimator) else estimator


def around(estimator: Any, inside: Estimator) -> Estimator:
    """Return the estimator with another fit innermost."""
    return evolve(estimator, of=around(estimator.of, inside)) if _wraps(estimator) else inside


def exact_fit(estimator: Estimator) -> Estimator:
    """Return the exact fit that an estimator reads of its points."""
    inside = innermost(estimator)
    if isinstance(inside, GradientSteps | PosteriorDraw):
        return MLE()
    return Unbiased() if isinstance(inside, PosteriorPredictive) else inside


def _wraps(estimator: Any) -> bool:
    return isinstance(estimator, Procedure) and any(f.init for f in fields(type(estimator)) if f.name == "of")


def why_not(loop: Loop, here: Kit) -> str | None:
    """Return why the loop's estimator cannot be applied to data, None where it can."""
    inside, weighed = innermost(loop.estimator), _weights(loop) is not None
    if isinstance(loop.family, Fitted | LocationScale):
        return _not_fitted(loop, weighed)
    if weighed and isinstance(inside, PosteriorDraw | PosteriorPredictive | SpectralFilter):
        return f"estimator: {inside} needs to know how many points the weights of {loop.regime} are worth"
    if weighed and isinstance(inside, GradientSteps) and loop.family.has_variance and not loop.regime.between:
        return f"estimator: {inside} follows a likelihood, which {loop.regime} is none of"
    family = type(loop.family).__name__
    if isinstance(loop.family, ProjectedGaussian | ProductCategorical) and (weighed or loop.estimator != inside):
        return f"family: a mean of two {family} laws is none"
    if isinstance(inside, Learner):
        return _not_learned(loop, weighed)
    if isinstance(inside, PosteriorPredictive) and family not in _PREDICTED:
        return f"estimator: a {family} law has no posterior predictive law with a sampler"
    if isinstance(inside, GradientSteps) and inside.on == "log V" and not loop.family.has_variance:
        return f"estimator: {inside} steps on a variance, and a {family} law fits none"
    try:
        learner(loop, here)
    except NotClosed as refusal:
        return str(refusal).split(". ")[0]
    return None


def _not_fitted(loop: Loop, weighed: bool) -> str | None:
    """Return why a family that has only a fit is not fitted so."""
    name = type(loop.family).__name__
    if weighed:
        return f"regime: {loop.regime} weighs its parts, and a {name} counts every point the same"
    mixed = isinstance(loop.family, Mixture)
    inside = loop.estimator.of if mixed and isinstance(loop.estimator, Floor) else loop.estimator
    return (
        None
        if isinstance(inside, (MLE, EM) if mixed else MLE)
        else f"estimator: {loop.estimator} is no way to fit a {name}"
    )


def _not_learned(loop: Loop, weighed: bool) -> str | None:
    """Return why a learner cannot be run on the family's likelihood."""
    learner, here, name = loop.estimator, likelihood(loop), type(loop.family).__name__
    if weighed or not isinstance(learner, Learner):
        return f"estimator: {learner} is run by itself, on points that all count the same"
    if here is None or isinstance(learner, EM):
        return f"estimator: {learner} is no way to fit a {name}"
    if isinstance(learner, SVI | NUTS) and here.prior is None:
        return f"estimator: {learner} needs coordinates that name a {name} law only once"
    if isinstance(learner, SGD) and learner.natural and here.information is None:
        return f"estimator: {learner} needs a Fisher information by coordinate, which a {name} law has not"
    return None


def _learner(loop: Loop, here: Kit) -> Any:
    """Return the learner of a loop's likelihood."""
    inside: Any = loop.estimator
    of: Any = likelihood(loop)
    if isinstance(inside, Descent):
        return Descending(inside, of, here)
    # NumPyro is read only where it is asked for: it takes longer to import than all the rest.
    from numerics.kits.inference import Inference

    return Inference(inside, of, here)


_PREDICTED = ("Gaussian", "DiagonalGaussian", "Bernoulli", "Categorical")


def learner(loop: Loop, here: Kit) -> Learn:
    """Return what maps data and the last model to the next one.

    Raises:
        NotClosed: an estimator that the family has no formula for.
    """
    if here.learn is not None or isinstance(loop.estimator, Learner):
        learn_from = here.learn or _learner(loop, here).learn
        return lambda key, given, sets, _divisors, last, first: learn_from(key, given, sets[0], last, first)
    words = language(loop)
    combined, inside = _combined(loop, here, words), _inside(loop, here, words)
    outside = _outside(loop.estimator, words, here.source)

    def learn(key: Key, given: Given, sets: Sequence[Data], divisors: Any, last: Model, first: Any) -> Model:
        del first
        fits = [here.fit(data, divisors[j], last) for j, data in enumerate(sets)]
        whole = combined(sets, fits, last)
        sizes = [data.size for data in sets]
        return outside(given, inside(key, given, fits if here.weighted is None else [whole], whole, sizes, last), last)

    return learn


def _weights(loop: Loop) -> list[Expr] | None:
    """Return the weights of the parts, None where every point counts the same or there is one part."""
    weights = [part.weight for part in loop.regime.parts(loop.samples, n) if part.size != 0]
    return [w for w in weights if w is not None] if len(weights) > 1 and None not in weights else None


def _combined(loop: Loop, here: Kit, words: Language) -> Callable[[Sequence[Data], Sequence[Model], Model], Model]:
    """Return the exact fit of all sets together, from the fits of each."""
    weights = _weights(loop)
    if weights is None:
        return lambda _sets, fits, _last: fits[0]
    if here.weighted is not None:
        together, shares = here.weighted, [float(w) for w in weights]
        return lambda sets, _fits, last: together(sets, shares, last)
    labels = [f"fit{j}" for j in range(len(weights))]
    fits = [words.letters(label) for label in labels]
    mean = words.compiled(words.family.weighted(fits, weights, between=loop.regime.between), labels, ())
    return lambda _sets, fits, _last: mean(fits, {})


Inside = Callable[[Key, Given, Sequence[Model], Model, Sequence[Any], Model], Model]
"""(key, given, fits of the sets, fit of all, sizes, last) -> the innermost fit."""


def _inside(loop: Loop, here: Kit, words: Language) -> Inside:
    inside = innermost(loop.estimator)
    if isinstance(inside, GradientSteps):
        weights = _weights(loop) if here.weighted is None else None
        return _steps(inside, words, weights)
    if isinstance(inside, PosteriorPredictive):
        return lambda _key, _given, _fits, whole, sizes, _last: {**whole, "behind": sizes[0]}
    if not isinstance(inside, PosteriorDraw):
        return lambda _key, _given, _fits, whole, _sizes, _last: whole
    if here.posterior is not None:
        posterior = here.posterior
        return lambda key, _given, _fits, whole, sizes, _last: posterior(key, whole, sizes[0])
    return _posterior(words)


@frozen
class _Fits:
    """What procedures ask of a family, where the fits of its data are letters already."""

    words: Language
    batches: Sequence[Batch] = ()
    weights: Sequence[Expr] | None = None

    @property
    def scales(self) -> Sequence[Expr]:
        return self.words.family.scales

    def start(self, state: Any) -> Parameters:
        del state
        return self.words.letters("source")

    def fit(self, batch: Batch, estimator: Estimator, state: Any) -> Parameters:
        del batch, estimator, state
        return self.words.letters("fit")

    def target(self, batch: Batch, model: Parameters, state: Any) -> Parameters:
        """Return the weighted mean of the parts' targets."""
        del batch
        targets = [self.words.family.target(part, model, state) for part in self.batches]
        shares = self.weights or [1] * len(targets)
        return {x: Add(*(w * t[x] for w, t in zip(shares, targets, strict=True))) for x in targets[0]}


def _batch(words: Language, label: str, size: Symbol) -> Batch:
    """Return the statistics behind a maximum likelihood fit that is letters."""
    return evolve(words.family.unfit(words.letters(label), size, MLE()), observed=True)


def _steps(estimator: GradientSteps, words: Language, weights: Sequence[Expr] | None) -> Inside:
    """Return the model after so many steps; one is compiled."""
    labels = [f"fit{j}" for j in range(len(weights or (1,)))]
    sizes = [Symbol(f"size_{label}", positive=True) for label in labels]
    batches = [_batch(words, label, size) for label, size in zip(labels, sizes, strict=True)]
    one = evolve(estimator, steps=1)
    update, _ = one.fit(_Fits(words, batches, weights), batches[0], words.letters("last"), words.state)
    step = words.compiled(update, [*labels, "last"], [*sizes, *_numbers(estimator)])

    def stepped(key: Any, given: Given, fits: Any, whole: Any, counts: Sequence[Any], last: Model) -> Model:
        del key, whole
        values = {**given, **{str(size): count for size, count in zip(sizes, counts, strict=False)}}
        return lax.fori_loop(0, estimator.steps, lambda _, model: step([*fits, model], values), words.own(last))

    return stepped


def _posterior(words: Language) -> Inside:
    """Return a draw from the posterior, innovation by innovation."""
    size = Symbol("size_fit", positive=True)
    update, laws = words.family.posterior(_batch(words, "fit", size), words.state)
    standard = {law.symbol: sqrt(law.variance) * law.symbol for law in laws if isinstance(law, Normal)}
    known, needs = [*words.letters("fit").values(), size], []
    for slot, law in enumerate(laws):
        before = [x for other in laws[:slot] for x in other.symbols]
        needs.append(to_jax([need.xreplace(standard) for need in parameters(law)], [*known, *before]))
    innovations = [x for law in laws for x in law.symbols]
    plain = {x: value.xreplace(standard) for x, value in update.items()}
    drawn_model = words.compiled(plain, ["fit"], [size, *innovations])

    def posterior(key: Key, given: Any, fits: Any, whole: Model, sizes: Sequence[Any], last: Any) -> Model:
        del given, fits, last
        here, drawn = [*(whole[name] for name in words.names), sizes[0]], []
        for slot, (law, need) in enumerate(zip(laws, needs, strict=True)):
            drawn += draw(law, slot_key(key, slot), need(*here, *drawn), jnp.shape(here[0]))
        values = {str(x): value for x, value in zip(innovations, drawn, strict=True)}
        return drawn_model([whole], {str(size): sizes[0], **values})

    return posterior


def _outside(
    estimator: Estimator, words: Language, source: Callable[[Given], Model]
) -> Callable[[Given, Model, Model], Model]:
    """Return what the procedures around the innermost fit make of it."""
    if not _wraps(estimator):
        return lambda _given, fitted, _last: fitted
    plain = around(estimator, MLE())
    update, _ = plain.fit(_Fits(words), Batch(n, (), observed=True), words.letters("last"), words.state)
    compiled = words.compiled(update, ["fit", "last", "source"], _numbers(estimator))
    return lambda given, fitted, last: compiled([fitted, last, source(given)], given)


def _numbers(estimator: Any) -> list[Symbol]:
    """Return the symbols that stand for numbers of the estimator and of those inside it."""
    values = [getattr(estimator, f.name) for f in fields(type(estimator)) if f.name != "of"]
    found = [x for value in values if isinstance(value, Expr) for x in value.free_symbols if isinstance(x, Symbol)]
    return sorted(found, key=str) + (_numbers(estimator.of) if _wraps(estimator) else [])
