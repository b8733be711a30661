"""Risks of Gaussian loops: their closed forms, their variance over runs, and where they do not exist."""

from typing import Any

import pytest
from sympy import Integer, Rational, digamma, gamma, log, pi, sqrt

from theory import (
    MLE,
    DiagonalGaussian,
    Gaussian,
    Loop,
    M,
    Mixed,
    MultivariateGaussian,
    NotClosed,
    Scaled,
    Unbiased,
    alpha,
    c,
    n,
    risk,
)
from theory.geometric import by_base
from theory.symbols import V0

UNBIASED = Loop(Gaussian(), estimator=Unbiased())
LIKELIHOOD = Loop(Gaussian(), estimator=MLE())
HALF = Rational(1, 2)
ROOT = sqrt(2) * gamma(M / 2) / gamma((M - 1) / 2)
KNOWN: dict[str, tuple[Loop, Any, Any]] = {
    "G13": (UNBIASED, "w2", V0 * (n / M + 2 - 2 * (ROOT / sqrt(M - 1)) ** n)),
    "G14": (LIKELIHOOD, "w2", 2 * V0 * (1 - (ROOT / sqrt(M)) ** n)),
    "G15": (UNBIASED, "kl_model_source", (n / M + n * (log((M - 1) / 2) - digamma((M - 1) / 2))) / 2),
    "G16": (LIKELIHOOD, "kl_model_source", n * (log(M / 2) - digamma((M - 1) / 2)) / 2),
    "G17": (
        UNBIASED,
        "kl_source_model",
        ((1 + (M - 1) / (2 * M)) * (((M - 1) / (M - 3)) ** n - 1) + n * (digamma((M - 1) / 2) - log((M - 1) / 2))) / 2,
    ),
    "G18": (
        LIKELIHOOD,
        "kl_source_model",
        (4 * ((M / (M - 3)) ** n - 1) / 3 + n * (digamma((M - 1) / 2) - log(M / 2))) / 2,
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_risk_is_the_known_formula(name):
    """Assert G13 to G18, base by base."""
    loop, metric, formula = KNOWN[name]
    assert by_base(risk(loop, metric).expression - formula) == {}


def test_slipped_formula_is_noticed():
    """Assert that n - 1 for n, or M - 1 for M, leaves a difference."""
    loop, metric, formula = KNOWN["G14"]
    for slip in ({n: n - 1}, {M: M - 1}):
        assert by_base(risk(loop, metric).expression - formula.subs(slip)) != {}


def likelihood_of_real_data(loop):
    """log(2 pi e V0)/2 + E KL(source || model n): entropy of the source and what the model adds."""
    return (log(2 * pi * V0) + 1) / 2 + risk(loop, "kl_source_model").expression


@pytest.mark.parametrize("loop", [UNBIASED, LIKELIHOOD, Loop(Gaussian(), estimator=Scaled(c))])
def test_negative_log_likelihood_is_entropy_plus_divergence(loop):
    """Assert E NLL = h(source) + E KL(source || model n), and E h(model n) = h(source) + (n/2) times the log drift."""
    assert by_base(risk(loop, "nll").expression - likelihood_of_real_data(loop)) == {}
    multiplier = loop.estimator.multiplier(M)
    drift = digamma((M - 1) / 2) - log((M - 1) / 2) + log(multiplier)
    entropy = (log(2 * pi * V0) + 1) / 2 + n * drift / 2
    assert by_base(risk(loop, "entropy").expression - entropy) == {}


def mixed_sum(a, b, size):
    """sum_(i < size) a^(size - 1 - i) b^i."""
    return sum((a ** (size - 1 - i) * b**i for i in range(size)), Integer(0))


def second_moment_of_w2(nu, factor, size):
    """E W_2^4 after ``size`` fits with V0 = 1, from the moments G(1/2), G(1), G(3/2), G(2) of one fit's V."""
    m = nu + 1
    g = {k: (2 * factor / nu) ** k * gamma(nu / 2 + k) / gamma(nu / 2) for k in (HALF, 1, 3 * HALF, 2)}
    square = mixed_sum(1, g[1], size) / m
    square_v = g[1] * mixed_sum(g[1], g[2], size) / m
    square_s = g[HALF] * mixed_sum(g[HALF], g[3 * HALF], size) / m
    fourth = sum((6 * g[1] * mixed_sum(g[1], g[2], i) / m**2 + 3 * g[2] ** i / m**2 for i in range(size)), Integer(0))
    powers = {k: value**size for k, value in g.items()}
    own = powers[2] + 1 + 6 * powers[1] - 4 * powers[3 * HALF] - 4 * powers[HALF]
    return fourth + own + 2 * square_v + 2 * square - 4 * square_s


@pytest.mark.parametrize("samples", [2, 5, 6])
@pytest.mark.parametrize("size", [1, 3])
def test_variance_of_w2_is_the_four_moment_recipe(samples, size):
    """Assert Var(W_2^2) of any multiplier c against E R^2 - (E R)^2, term by term in the moments of one fit."""
    loop = Loop(Gaussian(0, 1), estimator=Scaled(c), samples=samples)
    nu = Integer(samples - 1)
    mean = risk(loop, "w2").values(size)[size]
    difference = risk(loop, "w2").variance.values(size)[size] - second_moment_of_w2(nu, c, size) + mean**2
    assert difference.expand() == 0


def test_variance_at_the_source_is_zero():
    """Assert that generation 0, the source itself, has no spread in any metric."""
    for metric in ("w2", "nll", "entropy", "kl_source_model", "kl_model_source"):
        assert risk(LIKELIHOOD, metric).variance.values(0) == [0]


def test_limits_tell_the_metrics_apart():
    """Assert W2 -> 2 V0 under maximum likelihood but oo unbiased, NLL -> oo and entropy -> -oo under both."""
    assert risk(LIKELIHOOD, "w2").limit() == 2 * V0
    assert risk(UNBIASED, "w2").limit().is_infinite
    for loop in (LIKELIHOOD, UNBIASED):
        assert risk(loop, "nll").limit() == -risk(loop, "entropy").limit() > 0


def test_narrow_family_pays_its_projection_once():
    """Assert NLL at generation 0 is the correlated source's own entropy, and that its divergence is added from 1 on."""
    correlated = MultivariateGaussian([0, 0], [[1, HALF], [HALF, 1]])
    losses = risk(Loop(DiagonalGaussian(), source=correlated, samples=10), "nll").values(1)
    entropy = log(2 * pi) + 1 + log(Rational(3, 4)) / 2
    assert (losses[0] - entropy).expand() == 0
    divergence = risk(Loop(DiagonalGaussian(), source=correlated, samples=10)).values(1)[1]
    assert (losses[1] - entropy - divergence).expand() == 0


def test_variance_needs_more_samples_than_the_mean():
    """Assert that E KL(source || model) exists from M = 4 on, its variance, with E 1/V^2, from M = 6 on."""
    loop = Loop(Gaussian(), samples=4)
    assert risk(loop).values(1)[1].is_finite
    with pytest.raises(NotClosed, match="fails"):
        _ = risk(loop).variance
    assert risk(Loop(Gaussian(), samples=6)).variance.values(1)[1] > 0


def test_refusals_name_the_axis():
    """Assert that a square root under mixing, and W2 to a source outside the family, are refused by name."""
    with pytest.raises(NotClosed, match="Mixed"):
        risk(Loop(Gaussian(), regime=Mixed(alpha)), "w2")
    correlated = MultivariateGaussian([0, 0], [[1, HALF], [HALF, 1]])
    with pytest.raises(NotClosed, match="W2"):
        risk(Loop(DiagonalGaussian(), source=correlated), "w2")


def test_latex_names_the_metric():
    """Assert that mean and variance print under the metric's own name."""
    answer = risk(LIKELIHOOD, "w2")
    assert answer._repr_latex_().startswith(r"$\mathbb{E}\left[W_2^2(P_0, P_n)\right] = ")
    assert answer.variance._repr_latex_().startswith(r"$\operatorname{Var}\left[W_2^2(P_0, P_n)\right] = ")


def test_matrices_have_likelihood_and_entropy():
    """Assert NLL = h(source) + KL in two dimensions, entropy log(2 pi) + 1 at the source, and W2 refused by name."""
    loop = Loop(MultivariateGaussian([0, 0], [[1, 0], [0, 1]]), samples=8)
    loss, divergence = risk(loop, "nll").values(2)[2], risk(loop).values(2)[2]
    assert by_base(loss - divergence - log(2 * pi) - 1) == {}
    assert by_base(risk(loop, "entropy").values(0)[0] - log(2 * pi) - 1) == {}
    with pytest.raises(NotClosed, match="root of a matrix"):
        risk(loop, "w2")
