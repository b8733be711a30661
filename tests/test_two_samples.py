"""Two samples against the null of the loop itself: uniform p-values under it, and power against what is planted.

Samples are drawn with keys from the operating system; no seed is chosen, and a test is tried once.
"""

from secrets import randbelow

import numpy as np
import pytest
from scipy import stats
from sympy import Rational

from numerics.fitting import Tests, entropy, mutual_information, refit_test, refitted_entropy, tail_test
from numerics.fitting.gamma_products import LogProduct
from numerics.fitting.information import METHODS
from theory import MLE, Accumulate, Categorical, Gaussian, Loop, NotClosed, Poisson, Tempered, Unbiased

FAILURE_RATE = 1e-6
"""Chance that any test of this file fails although all is right."""
SHARES = 20
"""At least the number of comparisons that share it."""
PAIRS = 120
MANY = 24
LAW = 1 / np.arange(1, 41)
GENERATOR = np.random.default_rng(randbelow(2**63))
WORDS = Loop(Categorical([Rational(1, 2)] * 2))


def uniform(p_values):
    return stats.kstest(p_values, "uniform").pvalue > FAILURE_RATE / SHARES


def refitted(x, loop, refits, size):
    """Return a sample after honest refits, from the data, as one would write it down: no shared code."""
    ddof = 0 if loop.estimator == MLE() else 1
    tau = float(getattr(loop.sampling, "tau", 1))
    for k in range(refits):
        size_here = size if k == refits - 1 else len(x)
        x = GENERATOR.normal(x.mean(), np.sqrt(tau * x.var(ddof=ddof)), size_here)
    return x


@pytest.mark.parametrize(
    ("loop", "refits"),
    [(Loop(Gaussian()), 1), (Loop(Gaussian(), estimator=Unbiased(), sampling=Tempered(Rational(9, 10))), 3)],
    ids=str,
)
def test_gaussian_p_values_are_uniform(loop, refits):
    """Assert that mean and variance of honestly refitted points give uniform p-values, and that MLE taken for unbiased
    does not.
    """
    wrong = Loop(Gaussian(), estimator=Unbiased() if loop.estimator == MLE() else MLE(), sampling=loop.sampling)
    p_values, planted = [], []
    for _ in range(PAIRS):
        before = GENERATOR.normal(3.0, 2.0, 8)
        after = refitted(before, loop, refits, 400)
        found = refit_test(before, after, loop, refits=refits)
        p_values.append([found["variance"].p_value, found["mean"].p_value])
        if refits == 1:
            planted.append(refit_test(before, after, wrong)["variance"].p_value)
    variance, mean = np.transpose(p_values)
    assert uniform(variance)
    assert uniform(mean)
    assert refits > 1 or not uniform(planted)


def test_the_smallest_change_is_seen_with_the_stated_power():
    """Assert that a variance smaller by the stated change is found in 9 of 10 cases."""
    before, seen, tried = GENERATOR.normal(size=100), 0, 400
    change = refit_test(before, before, Loop(Gaussian()))["variance"].smallest
    for _ in range(tried):
        after = GENERATOR.normal(before.mean(), np.sqrt(before.var() * (1 - change)), 100)
        seen += refit_test(before, after, Loop(Gaussian()))["variance"].p_value < 0.01 / 2
    assert abs(seen - 0.9 * tried) < stats.norm.isf(FAILURE_RATE / SHARES / 2) * np.sqrt(tried * 0.09)


def test_products_of_chi_squares():
    """Assert that the law of a ratio of chi-squares is F's, and of one chi-square its own."""
    y = np.log([0.2, 1.0, 4.0])
    one = LogProduct((0.5,), (7.0,))
    assert np.allclose([one.cdf(x) for x in y], stats.chi2(7).cdf(np.exp(y) / 0.5), atol=1e-12)
    # chi2_2/2 is exponential: P(E_1 E_2 > x) = 2 sqrt(x) K_1(2 sqrt(x)).
    from scipy.special import k1

    two = LogProduct((0.5, 0.5), (2.0, 2.0))
    root = 2 * np.sqrt(np.exp(y))
    assert np.allclose([1 - two.cdf(x) for x in y], root * k1(root), atol=1e-9)
    assert np.isclose(two.cdf(two.quantile(0.3)), 0.3)


def chain(counts, refits, size):
    for k in range(refits):
        counts = GENERATOR.multinomial(size if k == refits - 1 else counts.sum(), counts / counts.sum())
    return counts


@pytest.mark.parametrize("refits", [1, 2])
def test_count_p_values_are_uniform(refits):
    """Assert that honestly refitted counts give uniform p-values, and that one refit more does not pass for fewer."""
    p_values, planted = [], []
    for k in range(MANY):
        before = GENERATOR.multinomial(300, LAW / LAW.sum())
        here, more = chain(before, refits, 300), chain(before, 4 * refits, 300)
        p_values.append([test.p_value for test in refit_test(before, here, WORDS, refits=refits, seed=k).tests])
        planted.append(refit_test(before, more, WORDS, refits=refits, seed=k)["likelihood ratio"].p_value)
    assert all(uniform(column) for column in np.transpose(p_values))
    assert not uniform(planted)


def test_a_type_that_comes_back_is_no_refit():
    """Assert that a type with no token before and one after is seen at once."""
    found = refit_test([5, 5, 0], [5, 4, 1], WORDS)
    assert found["likelihood ratio"].observed == np.inf
    assert found.more


def test_tail_p_values_are_uniform():
    """Assert that honest refits give uniform p-values at all depths together, and that cut tails are found."""
    p_values, planted = [], []
    for k in range(MANY):
        before = GENERATOR.normal(size=300)
        after = refitted(before, Loop(Gaussian()), 2, 400)
        p_values.append(tail_test(before, after, Loop(Gaussian()), refits=2, seed=k).p_value)
        cut = after[np.abs(after - after.mean()) < 1.4 * after.std()][:300]
        planted.append(tail_test(before, cut, Loop(Gaussian()), refits=2, seed=k).p_value)
    assert uniform(p_values)
    assert np.median(planted) < 0.05


def test_rare_types_that_go_first():
    """Assert that the mass of rare types has uniform p-values under refits, and that a loss of half of it is found."""
    p_values, planted = [], []
    for k in range(MANY):
        before = GENERATOR.multinomial(2000, LAW / LAW.sum())
        p_values.append(tail_test(before, chain(before, 1, 2000), WORDS, seed=k).p_value)
        tilted = before * np.where(before < 30, 0.5, 1.0)
        planted.append(tail_test(before, GENERATOR.multinomial(2000, tilted / tilted.sum()), WORDS, seed=k).p_value)
    assert uniform(p_values)
    assert np.median(planted) < 0.01


@pytest.mark.parametrize("method", [name for name in METHODS if name != "plugin"])
def test_entropy_loses_its_bias(method):
    """Assert that each method is nearer to the entropy than the plug-in, by a factor of five."""
    p = LAW / LAW.sum()
    true = -(p * np.log(p)).sum()
    counts = GENERATOR.multinomial(400, p, size=2000)
    plugin, better = (np.mean([METHODS[name](n.astype(float)) for n in counts]) for name in ("plugin", method))
    assert true - plugin > 5 * abs(true - better)


def test_the_jackknife_leaves_one_token_out():
    """Assert the definition, token by token."""
    n = np.array([3.0, 2.0, 1.0, 0.0])
    tokens = np.repeat(np.arange(4), n.astype(int))
    left = [METHODS["plugin"](np.bincount(np.delete(tokens, k), minlength=4).astype(float)) for k in range(6)]
    assert np.isclose(METHODS["jackknife"](n), 6 * METHODS["plugin"](n) - 5 * np.mean(left))


def test_one_refit_takes_this_entropy():
    """Assert that E H after a refit is the mean over all counts of two types; Miller's term is its first order."""
    M, p = 6, 0.3
    x = np.arange(M + 1)
    entropies = [METHODS["plugin"](np.array([k, M - k], dtype=float)) for k in x]
    assert np.isclose(refitted_entropy([p, 1 - p], M), stats.binom.pmf(x, M, p) @ entropies)
    law = LAW / LAW.sum()
    lost = -(law * np.log(law)).sum() - refitted_entropy(law, 100_000)
    assert np.isclose(lost, (len(law) - 1) / 200_000, rtol=0.01)


def test_mutual_information_of_independent_columns():
    """Assert that independent counts have none on average, up to a tenth of the plug-in's bias."""
    tables = GENERATOR.multinomial(500, np.outer(LAW[:6], LAW[:5]).ravel() / np.outer(LAW[:6], LAW[:5]).sum(), 1000)
    plugin, corrected = (
        np.mean([mutual_information(t.reshape(6, 5), m).value for t in tables]) for m in ("plugin", "miller-madow")
    )
    assert abs(corrected) < 0.1 * plugin
    assert mutual_information([[30, 0], [0, 30]], "plugin").value == pytest.approx(np.log(2))
    assert entropy([7, 0, 0]).value == 0


@pytest.mark.parametrize(
    ("before", "after", "loop", "options"),
    [
        ([1, 2, 3], [1, 2, 3], Loop(Gaussian()), {"refits": 0}),
        ([1, 1, 1], [1, 2, 3], Loop(Gaussian()), {}),
        ([1, 2, np.nan], [1, 2, 3], Loop(Gaussian()), {}),
        ([1, 2], [1, 2, 3], WORDS, {}),
        ([1.5, 2], [1, 2], WORDS, {}),
        ([1, 2, 3], [1, 2, 3], Loop(Gaussian(), regime=Accumulate()), {}),
        ([1, 2, 3], [1, 2, 3], Loop(Poisson()), {}),
    ],
)
def test_refusals(before, after, loop, options):
    """Assert that what cannot be tested is refused in two sentences."""
    with pytest.raises((ValueError, NotClosed)) as refusal:
        refit_test(before, after, loop, **options)
    assert str(refusal.value).count(". ") >= 1


def test_verdicts_are_said():
    """Assert that the printed verdict holds the p-value, the level and what would have been seen."""
    found = refit_test(np.arange(100.0), np.arange(100.0) / 2, Loop(Gaussian()))
    assert isinstance(found, Tests)
    assert found.more
    assert "more than one honest refit explains" in str(found)
    assert "power 0.9" in str(found)
