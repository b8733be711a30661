"""`simulate`: shapes and names, the same bits for any chunk, summaries, depth without underflow, refusals, files."""

import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp
import xarray as xr
from attrs import evolve
from scipy.special import digamma
from scipy.stats import norm
from sympy import Rational, log, oo

from numerics import planning
from numerics.engine import compiled
from numerics.running import runs
from numerics.running.devices import found
from numerics.running.runs import load, rerun, save
from numerics.simulate import simulate
from theory import (
    Accumulate,
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    Gaussian,
    Loop,
    Mixed,
    MultivariateGaussian,
    Scaled,
    Tempered,
    Unbiased,
)
from theory.symbols import V0, M, V, alpha, mu, mu0, tau

UNIT = {"mu": 0, "V": 1}
GAUSSIAN = Loop(Gaussian(), samples=10)
MIXED = Loop(Gaussian(), samples=12, regime=Mixed(Rational(1, 4)))
WORDS = Loop(Categorical(), samples=10)
LAW = {"p": np.arange(40, 0, -1) / 820}
OBSERVED = {"collision": Categorical.collision, "vocabulary": Categorical.vocabulary}


@pytest.mark.parametrize(
    ("loop", "start", "sizes"),
    [
        (GAUSSIAN, UNIT, {"mu": (), "V": (), "log_V": ()}),
        (Loop(Bernoulli(), samples=9), {"p": 0.25}, {"p": ()}),
        (Loop(Categorical([Rational(1, 2)] * 2), samples=9), None, {"p": (2,)}),
        (Loop(DiagonalGaussian([0, 1], [1, 2]), samples=9), None, {"mu": (2,), "V": (2,), "log_V": (2,)}),
    ],
    ids=["Gaussian", "Bernoulli", "Categorical", "DiagonalGaussian"],
)
def test_shapes_names_and_source(loop, start, sizes):
    """Assert that a run has (chain, generation, ...) with coordinates, the family's names, and the source first."""
    run = simulate(loop, start, generations=2, chains=3)
    assert {name: values.shape for name, values in run.items()} == {k: (3, 3, *v) for k, v in sizes.items()}
    assert run.generation.to_numpy().tolist() == run.chain.to_numpy().tolist() == [0, 1, 2]
    assert all(values.dtype == float and np.isfinite(values).all() for values in run.values())
    first = run.isel(generation=0)
    assert all((values == values[0]).all() for values in first.values())
    if "p" in run and not start:
        assert (first.p == 0.5).all()
    if "mu" in run:
        assert first.mu.to_numpy()[0].tolist() == ([0, 1] if sizes["mu"] else 0)


def test_start_is_named_three_ways():
    """Assert that source values by parameter, by source symbol, and in the loop itself give the same numbers."""
    one = simulate(GAUSSIAN, {"mu": 1, "V": 2.5}, generations=2, chains=5)
    two = simulate(GAUSSIAN, {"mu0": 1, "V0": 2.5}, generations=2, chains=5)
    three = simulate(GAUSSIAN.at(mu0=1, V0=Rational(5, 2)), generations=2, chains=5)
    for other in (two, three):
        assert all((one[name] == other[name]).all() for name in one)


PLANE = MultivariateGaussian([0, 1], [[1, 1], [1, 4]])
PROGRAMS = {
    "statistic": (GAUSSIAN, UNIT, {"method": "statistic"}),
    "data": (Loop(Gaussian(), samples=12, regime=Accumulate()), UNIT, {"method": "data"}),
    "correlated": (Loop(DiagonalGaussian(), samples=30, source=PLANE), None, {}),
    "covariance": (Loop(PLANE, samples=30), None, {}),
    "words": (WORDS, LAW, {"observe": OBSERVED}),
}


@pytest.mark.parametrize(("loop", "start", "options"), PROGRAMS.values(), ids=PROGRAMS)
def test_same_bits_for_any_chunk(loop, start, options):
    """Assert that neither the chunk size nor the number of chains changes a chain, and that seeds do.

    Chunks of thousands are shared out among threads, those of hundreds are not.
    """
    whole = simulate(loop, start, generations=3, chains=4_500, seed=3, chunk=4_500, **options)
    assert whole.equals(simulate(loop, start, generations=3, chains=4_500, seed=3, chunk=1, **options))
    assert whole.isel(chain=slice(10)).equals(simulate(loop, start, generations=3, chains=10, seed=3, **options))
    other = simulate(loop, start, generations=3, chains=10, seed=4, **options)
    assert all((whole[name][:10, 1:] != other[name][:, 1:]).any() for name in whole)


def test_summaries_are_those_of_the_paths():
    """Assert that paths=False gives mean and standard error of the same chains, with the same bits for any chunk."""
    observe = {"drift": (mu - mu0) ** 2 / V0}
    run = simulate(GAUSSIAN, UNIT, generations=4, chains=1_300, observe=observe)
    summary = simulate(GAUSSIAN, UNIT, generations=4, chains=1_300, observe=observe, paths=False)
    assert int(summary["count"]) == 1_300
    assert set(summary) == {f"{name}_{kind}" for name in run for kind in ("mean", "sem")} | {"count"}
    for name, values in run.items():
        sem = values.std("chain", ddof=1) / np.sqrt(1_300)
        np.testing.assert_allclose(summary[f"{name}_mean"], values.mean("chain"), rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(summary[f"{name}_sem"], sem, rtol=1e-11, atol=1e-15)
    for chunk in (1, 5_000):
        again = simulate(GAUSSIAN, UNIT, generations=4, chains=1_300, observe=observe, paths=False, chunk=chunk)
        assert again.equals(summary)


def test_summary_of_one_chain_has_no_standard_error():
    """Assert that a single chain has a mean, and NaN for its standard error."""
    summary = simulate(GAUSSIAN, UNIT, generations=2, chains=1, paths=False)
    assert np.isfinite(summary.V_mean).all()
    assert np.isnan(summary.V_sem).all()


def test_a_thousand_generations_do_not_underflow():
    """Assert that log V stays finite where V is 0, with drift psi(9/2) - log(9/2) + log(9/10) per generation."""
    chains, generations = 2_000, 1_000
    start = {"mu": 0, "V": 1e-300}
    run = simulate(GAUSSIAN, start, generations=generations, chains=chains, observe={"again": log(V)})
    last = run.log_V.to_numpy()[:, -1] - np.log(1e-300)
    assert np.isfinite(run.log_V).all()
    assert np.isfinite(run.mu).all()
    assert (run.V[:, -1] == 0).all()
    assert (run.again == run.log_V).all()
    drift = digamma(9 / 2) - np.log(9 / 2) + np.log(9 / 10)
    assert abs(last.mean() / generations - drift) < norm.isf(1e-7) * last.std() / chains**0.5 / generations


def test_population_limit_is_deterministic():
    """Assert that samples = oo has no spread: V_n = tau^n V0, or prod_k (1 + (tau - 1)/k) V0 accumulating."""
    n = np.arange(6)
    replace = Loop(Gaussian(), samples=oo, sampling=Tempered(Rational(3, 2)))
    run = simulate(replace, {"mu": 2, "V": 3}, generations=5, chains=2)
    np.testing.assert_allclose(run.V, np.tile(3 * 1.5**n, (2, 1)), rtol=1e-13)
    assert (run.mu == 2).all()
    run = simulate(evolve(replace, regime=Accumulate()), {"mu": 2, "V": 3}, generations=5, chains=2)
    growth = np.concatenate([[1.0], np.cumprod(1 + 0.5 / n[1:])])
    np.testing.assert_allclose(run.V[0], 3 * growth, rtol=1e-13)


def test_one_program_serves_a_sweep():
    """Assert that sizes, factors, shares and temperatures are run-time numbers: a sweep compiles once."""
    compiled.cache_clear()
    for size in (8, 16, 24):
        loop = Loop(Gaussian(), samples=size, estimator=Scaled(Rational(size, 30)), regime=Mixed(Rational(2, size)))
        simulate(loop, UNIT, generations=2, chains=3)
    simulate(
        Loop(Gaussian(), samples=9, estimator=Unbiased(), regime=Mixed(Rational(1, 3))), UNIT, generations=2, chains=3
    )
    assert compiled.cache_info().misses == 1


@pytest.mark.parametrize("name", ["collision", "vocabulary"])
def test_observables_are_those_of_the_probabilities(name):
    """Assert that a recorded sum over types is that of the recorded probabilities."""
    run = simulate(WORDS, LAW, generations=3, chains=20, observe=OBSERVED)
    wanted = {"collision": (run.p**2).sum("type"), "vocabulary": (run.p > 0).sum("type")}[name]
    np.testing.assert_allclose(run[name], wanted, rtol=1e-13)
    assert json.loads(run.attrs["observe"]) == {key: str(expr) for key, expr in OBSERVED.items()}


def test_probabilities_too_large_to_record_are_left_out(monkeypatch):
    """Assert that too many types are recorded through observables alone, and refused without any."""
    monkeypatch.setattr(planning, "LIMIT", 10_000)
    run = simulate(WORDS, LAW, generations=3, chains=20, observe=OBSERVED)
    assert list(run) == ["collision", "vocabulary"]
    with pytest.raises(ValueError, match=r"observe=\{'vocabulary'"):
        simulate(WORDS, LAW, generations=3, chains=20)


def call(loop=GAUSSIAN, start: Any = UNIT, **options: Any):
    numbers: Any = {"generations": 2, "chains": 3} | options
    return lambda: simulate(loop, start, **numbers)


WRONG = {
    "no samples": (call(Loop(Gaussian())), r"value for M\. Write loop\.at\(M="),
    "no share": (call(Loop(Gaussian(), samples=9, regime=Mixed(alpha))), r"loop\.at\(alpha="),
    "no temperature": (call(Loop(Gaussian(), samples=9, sampling=Tempered(tau))), r"loop\.at\(tau="),
    "no start": (call(start=None), r"no value for V0, mu0.*start=\{'V0'"),
    "half a start": (call(start={"mu": 0}), r"no value for V0"),
    "strange start": (call(start={"sigma": 1}), r"start names 'sigma'"),
    "said twice": (call(Loop(Gaussian(0, 1), samples=9), {"mu": 2, "V": 1}), r"the source says 0\. Say it once"),
    "list for a number": (call(start={"mu": [0, 1], "V": 1}), r"mu = \[0, 1\] is no number"),
    "no dimension": (call(Loop(DiagonalGaussian(), samples=9), None), "0 means and 0 variances"),
    "infinite start": (call(start={"mu": np.inf, "V": 1}), "not finite"),
    "negative variance": (call(start={"mu": 0, "V": -1}), r"variance -1.*Give V > 0"),
    "no chance": (call(Loop(Bernoulli(), samples=9), {"p": 1.5}), "no probability"),
    "no law": (call(WORDS, None), r"start=\{'p'"),
    "law beyond 1": (call(WORDS, {"p": [0.5, 0.6]}), "sum to 1.1"),
    "negative law": (call(WORDS, {"p": [1.5, -0.5]}), "numbers >= 0"),
    "no generations": (call(generations=0), "generations = 0 is out of range"),
    "half a chain": (call(chains=1.5), "chains = 1.5 is no whole number"),
    "negative seed": (call(seed=-1), "seed = -1"),
    "no chunk": (call(chunk=0), "chunk = 0"),
    "method": (call(method="exact"), "Choose one of auto, statistic, pair, tokens, types"),
    "data at infinity": (call(Loop(Gaussian(), samples=oo), method="data"), "no data to draw"),
    "statistics of tempered counts": (
        call(Loop(Bernoulli(), samples=9, sampling=Tempered(2)), {"p": 0.5}, method="statistic"),
        "method = 'statistic' cannot run this loop",
    ),
    "neither path": (call(Loop(Bernoulli(), samples=oo, sampling=Tempered(2)), {"p": 0.5}), "cannot be simulated"),
    "device": (call(device="abacus"), "Choose one of auto, cpu, gpu, tpu"),
    "taken name": (call(observe={"V": mu**2}), "taken"),
    "strange letter": (call(observe={"x": mu + M}), r"x = M \+ mu holds M"),
    "no such function": (call(observe={"x": sp.besselk(0, mu)}), "besselk"),
    "too large": (call(chains=2**32, generations=1_000), "Ask for paths=False"),
}


@pytest.mark.parametrize(("wrong", "sentence"), WRONG.values(), ids=WRONG)
def test_wrong_arguments_have_their_sentence(wrong, sentence):
    """Assert that a wrong argument is a ValueError that names the value and the way out."""
    with pytest.raises(ValueError, match=sentence):
        wrong()


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="this machine has an accelerator")
def test_missing_device_names_the_extra():
    """Assert that a GPU that is not there is an error that says what to install, not a run on the CPU."""
    with pytest.raises(ValueError, match=r"collapse-theory\[cuda12\]"):
        found("gpu")


def test_method_and_reason_are_recorded():
    """Assert that a run says which path ran and why, by choice and by request."""
    chosen = simulate(GAUSSIAN, UNIT, generations=2, chains=2)
    asked = simulate(GAUSSIAN, UNIT, generations=2, chains=2, method="data")
    tempered = simulate(Loop(Bernoulli(), samples=9, sampling=Tempered(2)), {"p": 0.5}, generations=2, chains=2)
    assert [run.attrs["method"] for run in (chosen, asked, tempered)] == ["statistic", "data", "data"]
    assert asked.attrs["reason"] == "asked for"
    assert "Tempered" in tempered.attrs["reason"]


def test_provenance_is_complete():
    """Assert that the provenance holds the loop, the arguments, what ran, and versions, as JSON."""
    record = json.loads(simulate(MIXED, UNIT, generations=2, chains=2, seed=5).attrs["provenance"])
    assert record["loop"] == str(MIXED)
    assert record["axes"]["regime"] == {"kind": "Mixed", "alpha": "1/4", "fresh": "True", "count": "fixed"}
    assert record["arguments"]["start"] == UNIT
    assert record["arguments"]["seed"] == 5
    assert record["device"].startswith(jax.default_backend())
    assert {"theory", "jax", "numpy", "python"} <= set(record["versions"])


def test_saved_run_comes_back_and_can_be_repeated(tmp_path):
    """Assert that a file gives the run back, attributes and all, and that its provenance gives the same bits."""
    pytest.importorskip("h5py", reason="h5netcdf writes through h5py")
    law = {"p": np.full(5_000, 1 / 5_000)}
    run = simulate(WORDS, law, generations=2, chains=5, seed=7, observe=OBSERVED)
    assert len(run.attrs["provenance"]) > runs.LONGEST
    path = save(run, tmp_path / "run.nc")
    loaded = load(path)
    xr.testing.assert_identical(loaded, run)
    assert [file.name for file in tmp_path.iterdir()] == ["run.nc"]
    xr.testing.assert_identical(rerun(loaded, WORDS, OBSERVED), run)
    assert rerun(loaded, WORDS, OBSERVED, chains=7).isel(chain=slice(5)).equals(run)


def test_rerun_refuses_another_loop():
    """Assert that a run is repeated with its own loop and observables only."""
    run = simulate(GAUSSIAN, UNIT, generations=2, chains=2)
    with pytest.raises(ValueError, match="Give the run's own loop"):
        rerun(run, MIXED)
    with pytest.raises(ValueError, match="Give observe="):
        rerun(run, GAUSSIAN, {"x": mu})


def test_files_are_checked(tmp_path):
    """Assert that a missing folder, a missing file and a file of another kind have their sentence."""
    pytest.importorskip("h5py", reason="h5netcdf writes through h5py")
    run = simulate(GAUSSIAN, UNIT, generations=2, chains=2)
    with pytest.raises(ValueError, match="no folder"):
        save(run, tmp_path / "absent" / "run.nc")
    with pytest.raises(ValueError, match="no file"):
        load(tmp_path / "absent.nc")
    (tmp_path / "text.nc").write_text("no netCDF")
    with pytest.raises(ValueError, match="is no run"):
        load(tmp_path / "text.nc")


def test_missing_packages_are_named(monkeypatch, tmp_path):
    """Assert that a run that cannot be stored says what to install, and leaves nothing behind."""
    monkeypatch.setattr(runs, "find_spec", {}.get)
    with pytest.raises(ValueError, match="needs h5netcdf and h5py"):
        save(simulate(GAUSSIAN, UNIT, generations=2, chains=2), tmp_path / "run.nc")
    assert not list(tmp_path.iterdir())


def test_progress_says_the_device(capsys):
    """Assert that progress goes to standard error, ends with all chains, and names the device; silence by default."""
    simulate(GAUSSIAN, UNIT, generations=2, chains=600, chunk=256)
    assert capsys.readouterr() == ("", "")
    simulate(GAUSSIAN, UNIT, generations=2, chains=600, chunk=256, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "600 of 600 chains" in shown.err
    assert jax.default_backend() in shown.err


def test_global_precision_is_left_alone():
    """Assert that simulating in float64 leaves JAX's own default as it was."""
    before = jnp.ones(1).dtype
    simulate(GAUSSIAN, UNIT, generations=2, chains=2)
    assert jnp.ones(1).dtype == before
