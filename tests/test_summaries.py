"""Streamed summaries: the same bits however chains are cut, and within their stated error of what the paths say."""

from math import ceil
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom

from numerics import planning
from numerics.running.runs import rerun
from numerics.simulate import simulate
from numerics.summaries import Covariance, Extremes, Histogram, Moments, Passage, Quantiles, Share, Summary
from numerics.summaries.quantiles import Sketch
from numerics.summaries.text import read
from theory import Categorical, Gaussian, Loop, law
from theory.symbols import V, mu

CHAINS, LAST = 3_000, 40
LEVELS = [0, 0.001, 0.05, 0.5, 0.95, 1]
EDGES = [0, 0.25, 1, 2]
FAILURE = 1e-6
LOOP = Loop(Gaussian(0, 1), samples=10)
ASKED: dict[str, Any] = {
    "V": [Quantiles(LEVELS), Extremes(), Share(below=[1e-3, 0.5]), Passage(below=[0.5, 0.01]), Histogram(EDGES)],
    "mu": [Quantiles(LEVELS), Covariance("V"), Passage(above=1)],
    "log_V": Quantiles(LEVELS, error=0.001),
    "spread": ["share(above=2)", "moments"],
}
RUN: dict[str, Any] = {"generations": LAST, "chains": CHAINS, "seed": 5, "observe": {"spread": V + mu**2}}


@pytest.fixture(scope="module")
def run():
    """Return every chain and its summaries."""
    return simulate(LOOP, **RUN, summaries=ASKED, paths="auto", chunk=5_000)


@pytest.fixture(scope="module")
def streamed():
    """Return the summaries of the same chains alone."""
    return simulate(LOOP, **RUN, summaries=ASKED, paths=False, chunk=768)


def test_same_bits_for_any_chunk(run, streamed):
    """Assert that summaries are the same however chains are cut, beside their paths or without them."""
    assert {"spread_sem", "V_quantile", "V_below_low", "mu_first_above_time", "log_V_mean"} <= {*streamed}
    for name in streamed:
        xr.testing.assert_identical(run[name], streamed[name])
    assert {*run} - {*streamed} == {"mu", "V", "log_V", "spread"}
    assert "chain" not in streamed.dims


def test_paths_are_left_out_where_they_are_large(monkeypatch, streamed):
    """Assert that paths="auto" gives the summaries alone where the chains take more than is said."""
    monkeypatch.setattr(planning, "AUTO", 8 * CHAINS * (LAST + 1) * 4 - 1)
    xr.testing.assert_equal(simulate(LOOP, **RUN, summaries=ASKED, paths="auto", chunk=768), streamed)


def test_same_bits_after_an_interruption(tmp_path, streamed):
    """Assert that a run in a folder, with a file lost, is gone on with to the same bits, and to no other summary."""
    asked: dict[str, Any] = {**RUN, "summaries": ASKED, "paths": False, "chunk": 768}
    simulate(LOOP, **asked, out=tmp_path)
    (tmp_path / "chunk-000001.npz").unlink()
    xr.testing.assert_identical(simulate(LOOP, **asked, out=tmp_path, resume=True), streamed)
    with pytest.raises(ValueError, match="summaries"):
        simulate(LOOP, **{**asked, "summaries": {"V": Extremes()}}, out=tmp_path, resume=True)


def test_run_is_made_again_with_its_summaries(streamed):
    """Assert that provenance holds what was asked of the summaries."""
    assert rerun(streamed, LOOP, RUN["observe"], chunk=768).identical(streamed)


def beyond(run, share):
    """How many quantiles are farther from those of the chains than a share of the stated error."""
    far = 0
    for name in ("V", "mu", "log_V"):
        ordered = np.sort(run[name].to_numpy(), axis=0)
        for q, found in zip(LEVELS, run[f"{name}_quantile"].to_numpy().T, strict=True):
            wanted = ordered[max(ceil(round(q * CHAINS, 6)), 1) - 1]
            error = run[f"{name}_quantile_error"].sel(quantile=q).to_numpy()
            far += int((np.abs(found - wanted) > share * error).sum())
    return far


def test_quantiles_are_those_of_the_paths(run):
    """Assert every quantile within its stated error, which keeps its promise and is not far too large."""
    assert beyond(run, 1.0) == 0
    assert beyond(run, 0.1) > 100
    for name, promised in {"V": 0.02, "mu": 0.02, "log_V": 0.001}.items():
        values, errors = (run[f"{name}_quantile{end}"] for end in ("", "_error"))
        assert (errors <= promised * abs(values) * (1 + promised) + 2.0**-31 * abs(run[name]).max()).all()
        assert (errors.sel(quantile=[0, 1]) == 0).all()


def test_shares_extremes_and_bins_are_those_of_the_paths(run):
    """Assert that what is counted is exact, and covariances and means to rounding."""
    x, y = run.V.to_numpy(), run.mu.to_numpy()
    for at, level in enumerate([1e-3, 0.5]):
        assert (run.V_below[:, at] == (x < level).mean(0)).all()
    assert ((run.V_below_low <= run.V_below) & (run.V_below <= run.V_below_high)).all()
    assert (run.V_min == x.min(0)).all()
    assert (run.V_max == x.max(0)).all()
    for generation in (0, 1, 7):
        assert (run.V_histogram[generation] == np.histogram(x[:, generation], EDGES)[0]).all()
    assert (run.V_over == (x > 2).sum(0)).all()
    assert (run.V_under == 0).all()
    np.testing.assert_allclose(run.mu_cov_V[9], np.cov(x[:, 9], y[:, 9])[0, 1], rtol=1e-9)
    np.testing.assert_allclose(run.spread_mean, (x + y**2).mean(0), rtol=1e-11)


@pytest.mark.parametrize(("name", "side", "level"), [("V", "below", 0.5), ("V", "below", 0.01), ("mu", "above", 1.0)])
def test_first_passages_are_those_of_the_paths(run, name, side, level):
    """Assert the law of the first generation beyond a level, and its mean as far as it is seen."""
    values = run[name].to_numpy()
    reached = np.logical_or.accumulate(values < level if side == "below" else values > level, axis=1)
    found = run.sel({f"{name}_first_{side}_level": level})
    assert (found[f"{name}_first_{side}"] == reached.mean(0)).all()
    for last in (1, 10, LAST):
        times = np.minimum(np.where(reached.any(1), reached.argmax(1), LAST), last)
        assert abs(found[f"{name}_first_{side}_time"][last] - times.mean()) < 1e-11
        assert abs(found[f"{name}_first_{side}_time_sem"][last] - times.std() / CHAINS**0.5) < 1e-11


@pytest.mark.parametrize(("generation", "holds"), [(8, True), (12, False)])
def test_survival_follows_its_law(streamed, generation, holds):
    """Assert that P(V_n < x) is that of the exact law at one failure rate, and not the law of a later generation."""
    exact = law(LOOP)
    for at, level in enumerate(["1/1000", "1/2"]):
        chance = float(exact.at(n=generation).cdf(level).value)
        k = round(float(streamed.V_below[8, at]) * CHAINS)
        tails = binom.cdf(k, CHAINS, chance), binom.sf(k - 1, CHAINS, chance)
        assert (min(tails) > FAILURE / 4) == holds


def test_quantiles_of_vectors_and_their_interval():
    """Assert a quantile for every entry, exact where the values are few and far apart."""
    shares = Loop(Categorical(["1/2", "3/10", "1/5"]), samples=4)
    run = simulate(shares, generations=3, chains=500, summaries={"p": [Quantiles([0.2, 0.9]), Share(above=0)]})
    assert run.p_quantile.dims == ("generation", "type", "quantile")
    wanted = np.sort(run.p.to_numpy(), axis=0)[[99, 449]]
    assert (abs(np.moveaxis(run.p_quantile.to_numpy(), -1, 0) - wanted) <= run.p_quantile_error.max().item()).all()
    assert (run.p_above[..., 0] == (run.p > 0).mean("chain")).all()


BINS = Quantiles(error=0.1)
STRANGE = st.one_of(st.sampled_from([0.0, -0.0, np.inf, -np.inf, 5e-324, -1e-310, 1.0]), st.floats(allow_nan=False))
REDUCE = jax.jit(BINS.reduced)


def sketched(values) -> Sketch:
    """Return the sketch of at most 256 values."""
    with jax.enable_x64(True):
        held = jnp.asarray(np.pad(values, (0, 256 - len(values)), constant_values=7e99))
        return BINS.merged(None, tuple(np.asarray(x) for x in REDUCE(held, jnp.arange(256) < len(values))), len(values))


@given(arrays(float, st.integers(1, 60), elements=STRANGE), st.integers(0, 60), st.sampled_from([0.01, 0.3, 0.5, 0.99]))
def test_sketches_of_parts_are_the_sketch_of_all(values, cut, q):
    """Assert the same counts whole and in parts, in either order, and quantiles within their bounds, for any floats."""
    whole, parts = sketched(values), [sketched(values[:cut]), sketched(values[cut:])]
    for first, second in (parts, parts[::-1]):
        both = first.merged(second)
        assert (both.counts == whole.counts).all()
        assert (both.ends == whole.ends).all()
        assert (both.odd == whole.odd).all()
    kept = np.where(abs(values) < np.finfo(float).tiny, 0, values)
    wanted = np.sort(kept)[max(ceil(round(q * len(values), 6)), 1) - 1]
    found, error, low, high = whole.quantile(q)
    assert found == wanted or (np.isfinite(found) and abs(found - wanted) <= error * (1 + 1e-12))
    assert low <= high


@pytest.mark.parametrize("q", [0.01, 0.3, 0.5, 0.99])
def test_interval_of_a_quantile_covers(q):
    """Assert ranks between which a quantile of any law lies with 95 % at least, and no others closer by one."""
    _, _, low, high = sketched(1024.0 + np.arange(1, 201)).quantile(q)
    first, last = (0 if np.isinf(low) else round(low - 1024), 201 if np.isinf(high) else round(high - 1024))
    assert binom.cdf(first - 1, 200, q) <= 0.025 < binom.cdf(first, 200, q)
    assert binom.sf(last - 1, 200, q) <= 0.025 < binom.sf(last - 2, 200, q)


def test_no_number_is_no_quantile():
    """Assert that a single NaN among the chains is seen."""
    assert np.isnan(sketched(np.array([1.0, np.nan, 2.0])).quantile(0.5)).all()
    assert (sketched(np.array([1.0, np.inf, np.inf])).quantile(0.5)[:2] == [np.inf, 0]).all()


TEXTS = [str(each) for several in ASKED.values() for each in np.atleast_1d(np.array(several, dtype=object))]


@pytest.mark.parametrize("text", [*TEXTS, "histogram([-1, 1], bins=3)", "quantiles(0.5)"])
def test_text_of_a_summary_is_read_back(text):
    """Assert that a summary is the value that its text says."""
    assert isinstance(read(text), Summary)
    assert read(str(read(text))) == read(text)


WRONG = {
    "name": ({"x": Moments()}, r"summaries name 'x', which is not recorded\. Choose from V, log_V, mu"),
    "other": ({"V": Covariance("x")}, "summaries name 'x'"),
    "twice": ({"V": [Share(below=1), Share(below=2)]}, "ask for V_below twice"),
    "levels": (
        {"V": Quantiles(0.5), "mu": Quantiles(0.1)},
        r"quantile = \[0.5\] and \[0.1\]. Give all variables the same",
    ),
    "word": ({"V": "median"}, r"summary 'median' is not known\. Choose one of covariance"),
    "python": ({"V": "quantiles(["}, "cannot be read"),
    "argument": ({"V": "quantiles(0.5, width=3)"}, "has the wrong arguments"),
    "code": ({"V": "quantiles(open('x'))"}, "has the wrong arguments"),
    "share": ({"V": "share()"}, "no levels on one side"),
    "both sides": ({"V": "share(above=1, below=2)"}, "no levels on one side"),
    "no share": ({"V": "quantiles(2)"}, r"levels = \[2.0\] are no shares"),
    "error": ({"V": "quantiles(0.5, error=0)"}, "error = 0 is out of range"),
    "edges": ({"V": "histogram([1, 0])"}, "do not rise"),
    "bins": ({"V": "histogram([0, 1, 2], bins=7)"}, "bins = 7 are not between 3 edges"),
}


@pytest.mark.parametrize(("asked", "sentence"), WRONG.values(), ids=WRONG)
def test_wrong_summaries_have_their_sentence(asked, sentence):
    """Assert that what cannot be summarised is a ValueError that names it and the way out."""
    with pytest.raises(ValueError, match=sentence):
        simulate(LOOP, generations=1, chains=2, summaries=asked)


def test_wrong_answer_on_paths():
    """Assert that paths are asked for by yes, no or auto."""
    with pytest.raises(ValueError, match="paths = 'some'"):
        simulate(LOOP, generations=1, chains=2, paths="some")
