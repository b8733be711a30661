"""The error of one variant of a loop at one generation, exact: what a cell of the decomposition is told by theory.

Closed forms in n are `theory.risk`; here numbers at a generation are enough, so that chains over counts, limits of
infinitely many samples and loops without a closed form have their say too.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from attrs import evolve
from sympy import Add, Determinant, Expr, Mul, S, log, oo

from theory.absorption import absorption
from theory.errors import NotClosed
from theory.expect import expect
from theory.families.categorical import Categorical
from theory.families.diagonal import DiagonalGaussian, numbers
from theory.families.gaussian import Gaussian
from theory.families.kernel_density import KernelDensity
from theory.families.located import LocationScale
from theory.families.markov import NGram
from theory.families.multivariate import MultivariateGaussian
from theory.families.product import ProductCategorical, margins
from theory.families.projected import ProjectedGaussian
from theory.families.smoothed import Smoothed
from theory.loop import Loop
from theory.population import distorted, population
from theory.regimes import Replace
from theory.risk import DISTANCES, between_normals, risk
from theory.sampling import Faithful


def value_at(loop: Loop, metric: str, generation: int) -> Expr:
    """Return E metric(source, model n), exact.

    Args:
        loop: a loop with numbers in all its symbols.
        metric: one of `risk`; "log_variance", E log V_n or E log det Sigma_n; "variance", E V_n, what one run shows, or
            "ensemble_variance", E[V_n + (mu_n - m)^2] about the mean m of the source, what all runs together show; or
            "support", the number of types left.
        generation: n >= 1.

    Raises:
        NotClosed: the expectation is infinite or has no closed moments.

    >>> from theory import Categorical, Gaussian, Laplace
    >>> value_at(Loop(Categorical(["1/2", "1/2"]), samples=2), "support", 1)
    3/2
    >>> value_at(Loop(Gaussian(), source=Laplace(), samples=oo), "entropy", 4)
    1/2 + log(pi)/2 + log(2)
    """
    if _stays(loop):
        return _of_source(loop, metric)
    if metric in SPREADS:
        return expect(loop, spread_of(loop, metric)).at(n=generation)
    if isinstance(loop.law, Smoothed):
        return _smoothed(loop, metric, generation)
    if isinstance(loop.law, ProjectedGaussian):
        return _projected(loop, metric, generation)
    if isinstance(loop.law, NGram):
        return _texts(loop, metric, generation)
    if isinstance(loop.law, Categorical | ProductCategorical):
        return _types(loop, metric, generation)
    if metric == "log_variance":
        return Add(*(expect(loop, one).at(n=generation) for one in log_variances(loop)))
    return risk(loop, metric).at(n=generation)  # type: ignore[arg-type]


def log_variances(loop: Loop) -> Iterator[Expr]:
    """Yield observables that sum to log V, or to log det Sigma."""
    family = loop.law
    if isinstance(family, Gaussian):
        yield log(family.V)
    elif isinstance(family, DiagonalGaussian):
        yield from (log(family.V[k]) for k in range(family.dimension))
    elif isinstance(family, LocationScale):
        yield log(family.point()[1])
    elif isinstance(family, MultivariateGaussian):
        yield log(Determinant(family.Sigma))
    else:
        raise NotClosed(f"family: {type(family).__name__} has no variance. Ask for a metric of risk, or a function.")


SPREADS = ("variance", "ensemble_variance")
"""Metrics that are a variance: of a point of one model, and of a point of all models together."""


def spread_of(loop: Loop, metric: str) -> Expr:
    """Return V, or V + (mu - m)^2 with m the mean of the source, in the parameters of the family.

    >>> spread_of(Loop(Gaussian(1, 2)), "ensemble_variance")
    V + (mu - 1)**2
    """
    mean, variance = loop.law.point()
    if metric == "variance":
        return variance
    return variance + (mean - (loop.source or loop.family).centred()[0]) ** 2


def _stays(loop: Loop) -> bool:
    """Return whether every model is the source: an exact fit of infinitely many faithful points of a law it can be."""
    exact = loop.estimator == loop.estimator.exact() and isinstance(loop.sampling, Faithful)
    return loop.samples == oo and loop.source is None and exact


def _of_source(loop: Loop, metric: str) -> Expr:
    """Return the metric between the source and itself."""
    source: Any = loop.family
    if metric in DISTANCES:
        return S.Zero
    if isinstance(source, Categorical):
        chances = source.probabilities or ()
        return S(len([p for p in chances if p != 0])) if metric == "support" else _of_chances(chances)
    if isinstance(source, NGram):
        return _of_texts(source, source, metric)
    if metric in ("nll", "entropy"):
        return source.differential_entropy()
    joint = isinstance(source, MultivariateGaussian)
    if metric in SPREADS:
        return source.centred()[1].moment(2)
    return log(numbers(source)[1].det() if joint else source.centred()[1].moment(2))


def _projected(loop: Loop, metric: str, generation: int) -> Expr:
    """Return the metric where infinitely many points leave the restricted form S* as it is, but for a factor.

    The model is then N(m, v S*) with v the variance of the same loop on a line that starts at N(0, 1).
    """
    if loop.samples != oo:
        raise NotClosed(
            f"family: the refits of {type(loop.family).__name__} read a restricted form of a Wishart matrix, whose "
            "moments do not close. Ask simulate(loop)."
        )
    law: Any = loop.law
    line = evolve(loop, family=Gaussian(0, 1), source=None)
    d, logs = law.dimension, log(law.covariance.det())
    if metric == "log_variance":
        return d * expect(line, log(Gaussian.V)).at(n=generation) + logs
    if metric == "w2":
        raise NotClosed("family: W_2 between covariance matrices needs the root of a matrix. Ask kl_source_model.")
    if metric == "kl_model_source":
        return _backward(law, loop.source or law, expect(line, Gaussian.V).at(n=generation))
    projection = 0 if metric == "entropy" else law.divergence(loop.source or law)
    # On the line log V0 = 0: entropies miss (log det S)/2, of S* for the model's own.
    missing = {"nll": logs / 2 - projection, "entropy": logs / 2}.get(metric, S.Zero)
    return d * risk(line, metric).at(n=generation) + projection + missing  # type: ignore[arg-type]


def _smoothed(loop: Loop, metric: str, generation: int) -> Expr:
    """Return the metric where infinitely many points leave nothing to chance: a smoothed law has the variance that
    smears left of it, and is normal where source and smear are.
    """
    law: Any = loop.law
    if loop.samples != oo:
        raise NotClosed(
            f"metric: {metric} of a {law.title} is no polynomial in moments of a point. "
            f"Ask {' or '.join(SPREADS)}, or simulate(loop)."
        )
    V, source = expect(loop, law.V).at(n=generation), loop.source or law
    if metric == "log_variance":
        return log(V)
    if not (isinstance(source, Gaussian) and isinstance(law, KernelDensity) and isinstance(loop.regime, Replace)):
        raise NotClosed(
            f"metric: {metric} of a {law.title} of a {source.title} source has no closed form. "
            "Ask log_variance, or simulate(loop)."
        )
    return between_normals(metric, source.mu0, V, source.mu0, source.V0)


def _backward(law: Any, source: Any, factor: Expr) -> Expr:
    """Return KL(N(m, v S*) || N(m, S)) = (v tr(S^-1 S*) - d - d log v + log det S - log det S*)/2."""
    trace = (source.covariance.inv() * law.covariance).trace()
    ratio = (source.covariance.det() / law.covariance.det()).cancel()
    return (factor * trace - law.dimension * (1 + log(factor)) + log(ratio)) / 2


def _texts(loop: Loop, metric: str, generation: int) -> Expr:
    """Return the metric of n-gram models, in nats per token."""
    law, source = loop.law, loop.source or loop.family
    if not isinstance(law, NGram) or not isinstance(source, NGram) or law.transitions is None:
        raise NotClosed("source: a text has no rate of its own. Give transitions, or ask absorption(loop).")
    if loop.samples != oo:
        chain = absorption(loop)
        if metric in ("entropy", "support"):
            return chain.entropy(generation) if metric == "entropy" else chain.support(generation)
        raise NotClosed(
            f"metric: {metric} of counted n-grams is infinite once one of the source's is lost, or has no closed "
            "moments. Ask entropy or support."
        )
    if loop.estimator != loop.estimator.exact() or not isinstance(loop.sampling, Faithful):
        raise NotClosed(f"{loop.estimator} with {loop.sampling} of a text is not followed. Ask simulate(loop).")
    return _of_texts(law, source, metric)


def _of_texts(model: NGram, source: NGram, metric: str) -> Expr:
    """Return the metric of infinitely long texts of the source, whose model is their projection for ever."""
    rates = {
        "entropy": model.differential_entropy,
        "nll": lambda: source.differential_entropy() + model.rate_from(source),
        "kl_source_model": lambda: model.rate_from(source),
        "kl_model_source": lambda: source.rate_from(model),
        "support": lambda: S(
            len({y for c, row in model.table().items() if model.stationary()[c] for y, p in enumerate(row) if p})
        ),
    }
    if metric not in rates or rates[metric]().is_infinite:
        raise NotClosed(f"metric: {metric} of these texts is infinite or none. Ask entropy or kl_source_model.")
    return rates[metric]()


def _types(loop: Loop, metric: str, generation: int) -> Expr:
    """Return the metric of frequencies."""
    law: Any = loop.law
    source: Any = loop.source or law
    if loop.samples == oo:
        return _between(_population(loop, generation), _chances(source), metric)
    if metric == "support" and isinstance(law, Categorical):
        return absorption(loop).support(generation)
    if metric == "entropy":
        columns = law.columns if isinstance(law, ProductCategorical) else (law,)
        return Add(*(_entropy(evolve(loop, family=column, source=None), generation) for column in columns))
    if metric == "kl_model_source":
        return -value_at(loop, "entropy", generation) - _cross(loop, law, generation)
    if metric == "support":
        raise NotClosed(
            "metric: columns that are tied by the first fit lose their types together, so the types left of a product "
            "of marginals are followed in no one column. Ask kl_model_source or entropy, or simulate(loop)."
        )
    raise NotClosed(
        f"metric: {metric} of frequencies is infinite once a type is lost, or has no closed moments. "
        "Ask kl_model_source or entropy."
    )


def _population(loop: Loop, generation: int) -> Sequence[Expr]:
    """Return the frequencies of model n where infinitely many points leave nothing to chance."""
    law: Any = loop.law
    if isinstance(law, Categorical):
        return population(loop, generation).laws[-1]
    if isinstance(loop.sampling, Faithful):
        return law.joint()
    if not isinstance(loop.regime, Replace):
        raise NotClosed(
            f"regime: {loop.regime} of a product of marginals under {loop.sampling} is not followed here. "
            "Ask simulate(loop)."
        )
    joint = _chances(loop.source or law)
    for _ in range(generation):
        columns = margins(law.levels, tuple(distorted(tuple(joint), loop.sampling)))
        joint = tuple(Mul(*chances) for chances in product(*columns))
    return joint


def _chances(source: Any) -> Sequence[Expr]:
    """Return the probability of every type, or joint type."""
    return source.joint() if isinstance(source, ProductCategorical) else source.probabilities


def _between(model: Sequence[Expr], source: Sequence[Expr], metric: str) -> Expr:
    """Return a metric between two laws of types."""
    if metric == "support":
        return S(len([p for p in model if p != 0]))
    if metric == "entropy":
        return _of_chances(model)
    pairs = list(zip(*((model, source) if metric == "kl_model_source" else (source, model)), strict=True))
    if metric not in DISTANCES or metric == "w2" or any(p != 0 and q == 0 for p, q in pairs):
        raise NotClosed(f"metric: {metric} of these frequencies is infinite or none. Ask entropy or support.")
    return Add(*(p * log(p / q) for p, q in pairs if p != 0))


def _of_chances(chances: Sequence[Expr]) -> Expr:
    """Return the entropy -sum p log p."""
    return Add(*(-p * log(p) for p in chances if p != 0))


def _entropy(loop: Loop, generation: int) -> Expr:
    """Return E of the entropy of one column."""
    chain: Any = absorption(loop)
    if not hasattr(chain, "entropy"):
        raise NotClosed(f"regime: the chain of {loop.regime} and {loop.sampling} tells no entropy. Ask simulate(loop).")
    return chain.entropy(generation)


def _cross(loop: Loop, law: Any, generation: int) -> Expr:
    """Return sum_x E[p_n(x)] log p_0(x) over the joint types."""
    source: Any = loop.source or law
    single = isinstance(law, Categorical)
    letters = [law.p[k] for k in range(int(law.types))] if single else law.joint_letters()
    pairs = list(zip(letters, source.probabilities, strict=True))
    if any(chance == 0 for _, chance in pairs) and not single:
        raise NotClosed(
            "metric: KL(model || source) is infinite where the product of marginals has a type that the source lacks. "
            "Ask kl_source_model, or entropy."
        )
    return Add(*(expect(loop, of).at(n=generation) * log(chance) for of, chance in pairs if chance != 0))
