"""Survival, vocabulary and loss of types: exact curves agree with runs, and what is nearly right is rejected."""

from functools import cache

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom, norm
from sympy import Rational

from numerics import (
    VOCABULARY,
    Curve,
    Survival,
    agree,
    count_classes,
    losses,
    losses_of,
    simulate,
    survival,
    vocabulary,
)
from numerics.survival import critical
from theory import Categorical, Loop, absorption

FAILURE = 1e-6
"""Probability with which each statistical test here fails although all is well."""
COUNTS = [40, 20, 10, 5, 4, 3, 2, 2, 1, 1, 1, 1]
SOURCE = {"p": np.array(COUNTS) / sum(COUNTS)}
GENERATIONS = 40


def loop_of(samples: int) -> Loop:
    return Loop(Categorical(), samples=samples)


@cache
def run_of(samples: int = 10, chains: int = 30_000) -> xr.Dataset:
    return simulate(
        loop_of(samples), SOURCE, generations=GENERATIONS, chains=chains, observe={**VOCABULARY, **losses(COUNTS)}
    )


def exact(generations: int = GENERATIONS) -> Survival:
    return survival(loop_of(10), generations, SOURCE)


def curves(samples: int = 10, generations: int = GENERATIONS) -> list[Curve | Survival]:
    loop = loop_of(samples)
    whole = [survival(loop, generations, SOURCE), vocabulary(loop, generations, SOURCE)]
    return [*whole, *losses_of(loop, generations, COUNTS).values()]


NAMES = ["survival", "vocabulary", *losses(COUNTS)]


def test_curves_are_the_exact_chain():
    """Assert that every curve is what the exact chain says in fractions."""
    total = sum(COUNTS)
    chain = absorption(Loop(Categorical([Rational(c, total) for c in COUNTS]), samples=7))
    whole = {name: np.asarray(curve.values) for name, curve in zip(NAMES, curves(7, 3), strict=True)}
    for n in range(1, 4):
        lost = np.array([float(chain.lost(token=k, n=n)) for k in range(len(COUNTS))])
        assert whole["survival"][n] == pytest.approx(float(chain.survival(n)), rel=1e-12)
        assert whole["vocabulary"][n] == pytest.approx(float(chain.support(n)), rel=1e-12)
        for each in count_classes(COUNTS):
            assert whole[each.name][n] == pytest.approx(lost[each.holds(np.array(COUNTS))].mean(), rel=1e-12)


@pytest.mark.parametrize("which", range(len(NAMES)), ids=NAMES)
def test_exact_curves_agree(which):
    """Assert that survival, vocabulary and the losses of every class agree, with the power to see a tenth."""
    verdict = agree(curves()[which], run_of(), level=FAILURE)
    assert verdict.verdict == "agree", str(verdict)
    assert verdict.smallest.min() < 0.1


WRONG = {
    "n + 1 for n": [curve.values[1:] for curve in curves(generations=GENERATIONS + 1)],
    "n - 1 for n": [np.concatenate([curve.values[:1], curve.values[:-1]]) for curve in curves()],
    "M - 1 for M": [curve.values for curve in curves(9)],
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("which", range(len(NAMES)), ids=NAMES)
def test_wrong_curves_are_rejected(wrong, which):
    """Assert that a generation too many or too few, and a token too few, are seen in every curve."""
    values, right = WRONG[wrong][which], curves()[which]
    claim = Survival(wrong, values) if isinstance(right, Survival) else Curve(wrong, right.variable, values)
    assert agree(claim, run_of(), level=FAILURE).verdict == "disagree"


def diffusion(share: float, samples: int, generations: int) -> np.ndarray:
    """P(T > n) of two types in M. Kimura's diffusion, where d/dt = x (1 - x)/(2 M) d^2/dx^2, by differences in x."""
    x = np.linspace(0, 1, 401)
    rate = x[1:-1] * (1 - x[1:-1]) / (2 * samples * (x[1] - x[0]) ** 2)
    generator = np.diag(-2 * rate) + np.diag(rate[:-1], 1) + np.diag(rate[1:], -1)
    values, vectors = np.linalg.eig(generator)
    weights = np.linalg.solve(vectors, np.ones(len(values)))
    at = np.abs(x[1:-1] - share).argmin()
    return np.array([(vectors[at] * np.exp(values * n) * weights).sum().real for n in range(generations + 1)])


def test_diffusion_is_rejected_at_ten_tokens_and_seen_as_near():
    """Assert that diffusion in place of the chain is seen at M = 10, though it is within a tenth of it."""
    loop, start = Loop(Categorical(), samples=10), {"p": [0.3, 0.7]}
    run = simulate(loop, start, generations=30, chains=60_000, observe={"absorbed": Categorical.absorbed})
    right = survival(loop, 30, start)
    near = diffusion(0.3, 10, 30)
    assert np.abs(near - right.values)[:10].max() < 0.1
    assert agree(right, run, level=FAILURE).verdict == "agree"
    assert agree(Survival("diffusion", near), run, level=FAILURE).verdict == "disagree"


def test_the_run_says_absorption_in_four_ways():
    """Assert that the same verdict is reached from absorbed, its mean, the vocabulary and the probabilities."""
    run, claim = run_of(), exact()
    streamed = xr.Dataset({"absorbed_mean": run.absorbed.mean("chain"), "count": run.sizes["chain"]})
    ways = [run[["absorbed"]], streamed, run[["vocabulary"]], run[["p"]]]
    alive = [agree(claim, way).alive for way in ways]
    assert all((other == alive[0]).all() for other in alive[1:])


@pytest.mark.parametrize("steps", [2, 10, 100])
def test_threshold_lies_between_one_look_and_bonferroni(steps):
    """Assert that neighbours that are alike cost less than Bonferroni's share, and looks further apart nearly that."""
    level = 1e-4
    near, far = np.linspace(0.5, 0.45, steps), 1 / (1 + 1e6 ** np.arange(steps)[: min(steps, 10)])
    single, all_ = norm.isf(level / 2), norm.isf(level / 2 / steps)
    assert single < critical(near, level) < all_
    assert critical(far, level) == pytest.approx(norm.isf(level / 2 / len(far)), abs=2e-3)


def test_threshold_keeps_its_level():
    """Assert that a Gaussian chain of the bridge's correlations crosses it no more than stated, nor half as often."""
    level, paths, S = 0.02, 100_000, 0.93 ** np.arange(1, 60)
    rng = np.random.default_rng(0)
    odds = S / (1 - S)
    x = rng.standard_normal(paths)
    farthest = np.abs(x)
    for rho in np.sqrt(odds[1:] / odds[:-1]):
        x = rho * x + np.sqrt(1 - rho**2) * rng.standard_normal(paths)
        farthest = np.maximum(farthest, np.abs(x))
    crossed = (farthest > critical(S, level)).sum()
    assert level * paths / 2 < crossed <= binom.isf(FAILURE, paths, level)


def alarms(run: xr.Dataset, claim: Survival, groups: int, level: float) -> int:
    size = run.sizes["chain"] // groups
    parts = (run.isel(chain=slice(k * size, (k + 1) * size)) for k in range(groups))
    return sum(agree(claim, part, level=level, smallest=np.inf).verdict == "disagree" for part in parts)


def test_the_false_alarm_rate_is_the_stated_one():
    """Assert that the true curve is rejected no more often than the level, over 200 disjoint groups of chains."""
    assert alarms(run_of()[["absorbed"]], exact(), 200, 0.2) <= binom.isf(FAILURE, 200, 0.2)


def test_the_power_is_the_stated_one():
    """Assert that a relative error of the smallest size said to be seen is seen nine times in ten."""
    groups, claim, run = 100, exact(), run_of()[["absorbed"]]
    one = agree(claim, run.isel(chain=slice(run.sizes["chain"] // groups)), level=0.01)
    at = int(np.argmin(one.smallest))
    for sign in (1, -1):
        values = np.array(claim.values)
        values[at] = min(1.0, values[at] * (1 + sign * one.smallest[at]))
        assert alarms(run, Survival("off", values), groups, 0.01) >= binom.ppf(FAILURE, groups, 0.9)


def test_too_few_chains_are_no_agreement():
    """Assert that few chains are called underpowered, and the smallest shift they would have seen is long."""
    few = run_of().isel(chain=slice(12))
    verdict = agree(exact(), few)
    assert verdict.verdict == "underpowered"
    assert verdict.shift > 1 > agree(exact(), run_of()).shift
    assert "smallest shift" in str(verdict)


def test_impossible_counts_disagree():
    """Assert that a single chain that lives where none can, or is dead where none may be, is a disagreement."""
    run = xr.Dataset({"absorbed": (("chain", "generation"), [[0.0, 0.0], [0.0, 1.0], [0.0, 1.0]])})
    assert agree(Survival("none can", [1.0, 0.0]), run).verdict == "disagree"
    assert agree(Survival("none may", [1.0, 1.0]), run).verdict == "disagree"
    assert agree(Survival("some do", [1.0, 0.3]), run, smallest=np.inf).verdict != "disagree"


def test_what_cannot_be_judged_is_refused():
    """Assert that a missing variable, a wrong length, no probability and NaN are each refused with their sentence."""
    run, claim = run_of(), exact()
    with pytest.raises(ValueError, match=r"observe=.'absorbed'"):
        agree(claim, run[["lost 1"]])
    with pytest.raises(ValueError, match=r"Give 0\.\.n"):
        agree(Survival("short", [1.0, 0.5]), run)
    with pytest.raises(ValueError, match="no probability"):
        agree(Survival("beyond", np.asarray(claim.values) + 0.5), run)
    with pytest.raises(ValueError, match="not a number"):
        agree(claim, run[["absorbed"]] * np.nan)
