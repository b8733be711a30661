"""Linear regression from its sufficient statistics, against the reference that keeps all rows.

All comparisons of this file together fail by chance at the stated rate; seeds come from the operating system.
"""

from secrets import randbelow

import jax
import numpy as np
import pytest
from scipy import stats
from sympy import S, symbols

from numerics import simulate
from numerics.paths.refits import Refit
from numerics.planning import choose
from numerics.precision import Precision
from numerics.reference.simulator import reference
from numerics.samplers import SEEDS, chain_key, generation_key
from theory import LinearRegression, Loop
from theory.sphere import Parts
from theory.step import Step

FAILURE_RATE, TESTS = 1e-6, 50
BOUND = stats.norm.isf(FAILURE_RATE / TESTS / 2)
SEED = randbelow(SEEDS)
CHAINS = 32_768


def departures(loop, rows):
    """Return how far runs of the loop lie from the reference with that many rows, in standard errors."""
    run = simulate(loop, generations=2, chains=CHAINS, seed=SEED, method="statistic")
    declared = Loop(loop.family, samples=rows)
    weights = reference(declared, None, 2, CHAINS, np.random.default_rng(SEED))["weights"][:, 1:]
    w, squares = run["w"].to_numpy()[:, 1:], run["squares"].to_numpy()[:, 1:]
    v, total = weights[..., 0], (weights**2).sum(axis=-1)
    pairs = [(w, v), (w**2, v**2), (np.log(squares), np.log(total)), (w * np.log(squares), v * np.log(total))]
    spread = [np.sqrt((a.var(axis=0) + b.var(axis=0)) / CHAINS) for a, b in pairs]
    return max(np.max(np.abs(a.mean(axis=0) - b.mean(axis=0)) / s) for (a, b), s in zip(pairs, spread, strict=True))


@pytest.mark.parametrize(("d", "rows"), [(4, 9), (4, 3)])
def test_weights_agree_with_those_of_rows(d, rows):
    """Assert that weights have the moments of least squares fits, of more rows than weights and of fewer; one row more
    is seen.
    """
    loop = Loop(LinearRegression(dimension=d, noise=1, w0=2), samples=rows)
    assert departures(loop, rows) < BOUND, SEED
    assert departures(loop, rows + 1) > BOUND


@pytest.mark.parametrize(("d", "rows"), [(1, 5), (5, 2), (5, 1)])
def test_rows_are_drawn_where_no_degrees_are_left(d, rows):
    """Assert that a loop with a part of no dimension takes the path of data."""
    assert choose(Loop(LinearRegression(dimension=d, noise=1, w0=2), samples=rows), "auto", ())[0] == "data"


@pytest.mark.parametrize("precision", ["f64", "f32"])
@pytest.mark.parametrize(("p", "q"), [(1, 2), (1, 5), (3, 2)])
def test_parts_of_a_vector_are_drawn_from_normal_variables(p, q, precision):
    """Assert that x^2/square ~ Beta(p/2, q/2) with x^2 + y^2 = square and fair, independent signs, by a
    Kolmogorov-Smirnov test that tells half a degree more.
    """
    x, y = symbols("x y", real=True)
    law, how = Parts(symbols("u v", real=True), (S(p), S(q)), S(4)), Precision(precision)
    step = Step(dict(zip((x, y), law.symbols, strict=True)), (law,))
    refit = Refit(step, step, (), (), (), "later", how)
    with how.tracing():
        given, fit = refit.tables({}, 1), refit.transition()
        draw = jax.jit(jax.vmap(lambda at: fit(generation_key(chain_key(SEED, at), 1), 1.0, given, (0.0, 0.0))))
        one, two = (np.asarray(side, float) for side in draw(np.arange(CHAINS)))
    np.testing.assert_allclose(
        one**2 + two**2, 4, rtol=16 * float(np.finfo(np.float32 if precision == "f32" else float).eps)
    )
    share = one**2 / (one**2 + two**2)
    assert stats.kstest(share, stats.beta(p / 2, q / 2).cdf).pvalue > FAILURE_RATE / TESTS, SEED
    assert stats.kstest(share, stats.beta(p / 2, q / 2 + 1 / 4).cdf).pvalue < FAILURE_RATE / TESTS
    for heads in (one > 0, two > 0, one * two > 0):
        assert stats.binomtest(int(heads.sum()), CHAINS).pvalue > FAILURE_RATE / TESTS, SEED
