"""Families narrower than their source: Gaussians of every form, other laws, types, texts, mixtures and densities."""

from sympy import Rational, log, oo

from proofs.cases.case import NAMES, Case
from theory import (
    EM,
    Categorical,
    DiagonalGaussian,
    Empirical,
    Gaussian,
    GraphicalGaussian,
    HistogramDensity,
    IsotropicGaussian,
    KernelDensity,
    Laplace,
    Loop,
    LowRankGaussian,
    Mixture,
    MultivariateGaussian,
    NGram,
    ProductCategorical,
    StudentT,
    Unbiased,
    UniformOn,
)

HALF = Rational(1, 2)
SPACE = MultivariateGaussian([0, 0, 0], [[4, 2, 3], [2, 4, 2], [3, 2, 4]])
AXES = MultivariateGaussian([0, 0, 0], [[9, 0, 0], [0, 4, 0], [0, 0, 1]])
TWO = Mixture(2, weights=["1/4", "3/4"], means=[-2, 2], variances=[1, 1])
THREE = Mixture(3, weights=["1/4", "1/4", "1/2"], means=[-4, 0, 4], variances=[1, 1, 1])
JOINT = Categorical([Rational(k, 10) for k in (4, 1, 2, 3)])
OUTSIDE = {
    "Laplace": Laplace(),
    "Student": StudentT(12),
    "uniform": UniformOn(-1, 1),
    "empirical": Empirical([0, 1, 1, 4, 6]),
    "mixture": TWO,
}
PYTHAGORAS = "by Pythagoras the cost of the projection and, added to it, that of the refits within the family"
ONCE = "the projection is paid once: with infinitely many samples it is the error at every n >= 1"
OFF = "the family contains the source: no expressivity error"
EVERY = "paid at every generation: the fit is not idempotent"


def _case(title, of, family, source, note="", generations=3, effort=1.0, at=None, **axes):
    at = at or {}
    return Case(title, "expressivity", lambda: Loop(family, source=source, **axes), of, at, generations, note, effort)


def _gaussians():
    forms = [
        ("diagonal", DiagonalGaussian(), SPACE),
        ("isotropic", IsotropicGaussian(), SPACE),
        ("low rank plus noise", LowRankGaussian(1), AXES),
        ("graphical", GraphicalGaussian([(0, 1), (1, 2)]), SPACE),
    ]
    for title, family, source in forms:
        for metric, words in (("kl_source_model", "source || model"), ("kl_model_source", "model || source")):
            note = PYTHAGORAS if metric == "kl_source_model" else ""
            row = f"{title} Gaussian, KL({words})"
            yield _case(row, metric, family, source, note, effort=1 / 4, at={"M": 40}, estimator=Unbiased())
        yield _case(
            f"{title} Gaussian alone (M = oo)",
            "kl_source_model",
            family,
            source,
            ONCE,
            estimator=Unbiased(),
            samples=oo,
        )


def _one_gaussian():
    for word, source in OUTSIDE.items():
        title = f"{word} source fitted by one Gaussian"
        yield _case(f"{title}: variance", Gaussian.V, Gaussian(), source, samples=20)
        if not isinstance(source, Empirical):  # whose points may all be the same, so that E log V is -oo
            fallen = log(Gaussian.V) - log(source.centred()[1].moment(2))
            yield _case(f"{title}: log variance", fallen, Gaussian(), source, samples=10)
            yield _case(f"{title}: NLL of real data", "nll", Gaussian(), source, samples=200, generations=2)
            yield _case(f"{title} alone (M = oo): NLL", "nll", Gaussian(), source, ONCE, samples=oo)


def _mixtures():
    V, few = Mixture.V, {"estimator": EM(5, tolerance=0), "samples": 60, "generations": 2, "effort": 1 / 8}
    yield _case("three parts fitted by two (EM)", V, Mixture(2), THREE, **few)
    for word in ("Laplace", "Student", "uniform", "empirical"):
        title, source = f"{word} source fitted by two parts (EM)", OUTSIDE[word]
        yield _case(title, V, Mixture(2), source, **few)
    yield _case("two parts fitted by one (EM)", V, Mixture(1), TWO, **few)


def _types():
    for metric in ("kl_model_source", "entropy", "support"):
        yield _case(
            f"product of marginals: {NAMES.get(metric, metric)}", metric, ProductCategorical((2, 2)), JOINT, samples=8
        )
    yield _case(
        "product of marginals alone (M = oo)", "kl_source_model", ProductCategorical((2, 2)), JOINT, ONCE, samples=oo
    )


def _texts():
    second = NGram(2, [["9/10", "1/10"], ["1/5", "4/5"], ["1/2", "1/2"], ["1/10", "9/10"]])
    title = "second-order source fitted by a bigram"
    yield _case(f"{title}: entropy of the first model", "entropy", NGram(1), second, samples=12, generations=1)
    yield _case(f"{title}: entropy", "entropy", NGram(1), second, effort=2, samples=8)
    yield _case(f"{title} alone (M = oo): entropy", "entropy", NGram(1), second, ONCE, samples=oo, generations=1)
    bigram = NGram(1, [["9/10", "1/10"], ["1/5", "4/5"]])
    yield _case("bigram source fitted by a bigram: entropy", "entropy", NGram(1), bigram, OFF, effort=2, samples=8)


def _contained():
    """Yield the laws above fitted by themselves: what is left when the family is wide enough."""
    own = (("Laplace", "w2", "W2"), ("uniform", "w2", "W2"), ("uniform", "kl_model_source", "KL(model || source)"))
    for word, metric, name in own:
        title = f"{word} source fitted by its own law: {name}"
        yield _case(title, metric, OUTSIDE[word], None, OFF, samples=10)
    yield _case(
        "Student source fitted by its own law: entropy", "entropy", StudentT(5), None, OFF, effort=1 / 8, samples=40
    )


def _densities():
    V, normal = KernelDensity.V, Gaussian(0, 1)
    square = KernelDensity.mu**2 + V
    yield _case("kernel density: variance of one run", V, KernelDensity(HALF), normal, EVERY, at={"M": 20})
    yield _case("kernel density: variance over runs", square, KernelDensity(HALF), normal, EVERY, at={"M": 20})
    yield _case("kernel density, bandwidth by rule", V, KernelDensity("scott"), normal, EVERY, at={"M": 20})
    yield _case("kernel density of Laplace data", square, KernelDensity(HALF), Laplace(), EVERY, at={"M": 20})
    for bins in ("fixed", "random"):
        note = EVERY if bins == "random" else "the bins stay where they are: the width is paid once"
        yield _case(f"histogram, {bins} bins", square, HistogramDensity(1, bins), normal, note, at={"M": 20})
    flat = UniformOn(-Rational(3, 2), Rational(3, 2))
    yield _case("histogram, fixed bins: variance of one run", V, HistogramDensity(1), flat, ONCE, at={"M": 20})
    yield from _densities_alone(normal, flat)


def _densities_alone(normal, flat):
    """Yield the variances with infinitely many points: what a fit costs, once or every time."""
    title, V = "{} alone (M = oo): variance", KernelDensity.V
    square = V + KernelDensity.mu**2
    yield _case(title.format("kernel density"), V, KernelDensity(HALF), normal, EVERY, samples=oo)
    yield _case(
        title.format("histogram, random bins"), square, HistogramDensity(1, "random"), normal, EVERY, samples=oo
    )
    yield _case(title.format("histogram, fixed bins"), V, HistogramDensity(1), flat, ONCE, samples=oo)


def cases() -> list[Case]:
    """Return the rows."""
    return [*_gaussians(), *_one_gaussian(), *_mixtures(), *_types(), *_texts(), *_contained(), *_densities()]
