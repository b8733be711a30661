"""`simulate`: a loop as labelled Monte Carlo paths, or as their streamed summaries."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import jax
import xarray as xr

from numerics.engine import Stretch, stretches
from numerics.request import Request
from numerics.running.devices import Number
from numerics.running.long_runs import keeping
from numerics.running.processes import group
from numerics.running.progress import shown
from numerics.running.results import collected
from numerics.sources import Start
from numerics.summaries.streams import Asked
from theory.loop import Loop


def simulate(
    loop: Loop,
    start: Start | None = None,
    *,
    generations: int,
    chains: int,
    seed: int = 0,
    paths: bool | str = True,
    observe: Mapping[str, Any] | None = None,
    summaries: Mapping[str, Asked | Iterable[Asked]] | None = None,
    method: str = "auto",
    chunk: int | None = None,
    device: str = "auto",
    devices: Number = 1,
    processes: Number = 1,
    precision: str = "f64",
    exact: bool = False,
    progress: bool = False,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> xr.Dataset:
    """Return independent runs of the loop, with dimensions (chain, generation); generation 0 is the source.

    Args:
        loop: a loop with numbers for all its symbols but those of the source.
        start: values for the source's symbols, by name, floats allowed: {"mu": 0, "V": 1} or {"mu0": 0, "V0": 1}.
        generations: number of refits, >= 1.
        chains: number of independent runs, 1 to 2^32.
        seed: 0 <= seed < 2^63; the numbers of chain c depend on (seed, c) alone, whatever else is asked.
        paths: whether every chain is returned; False streams, in memory that does not grow with the chains, and returns
            for each variable x the mean over chains ``x_mean`` and its standard error ``x_sem`` by generation, and
            their ``count``. "auto" returns these, and every chain with them where that takes 1 GB at most, on any
            machine.
        observe: name -> SymPy expression in the parameters of the family and of its source, recorded with them; where
            it is given and ``paths`` is False, vectors and matrices are streamed only if ``summaries`` names them.
        summaries: name of a variable or observable -> what else is streamed of it, one `Summary` or several, as values
            or as text: {"V": [Quantiles([0.05, 0.5, 0.95]), "share(below=0.001)"]}. See `numerics.summaries`.
        method: "statistic" draws sufficient statistics, "data" draws the points and refits them, and "pair",
            "tokens", "types", "poisson" and "types-exact" draw the counts of a categorical loop
            (`numerics.paths.counts_path` says how). All are exact where they run but "pair", "types" and "poisson",
            which are within 2e-7 of the exact law in every count, in total variation; "auto" takes the cheapest.
        chunk: chains that advance together, rounded up to a multiple of 256; it changes no number.
        device: "auto", "cpu", "gpu" or "tpu".
        devices: how many devices of that kind share the chains, or "all"; it changes no number.
        processes: 1, or "all" for those that `join` has joined: each calls this alike, runs a share of the chains, and
            returns the whole; it changes no number.
        precision: "f64", or for loops of normal and chi-square laws "mixed", float32 innovations and a float64
            state, or "f32" for all, which asks for a source of moderate numbers.
        exact: whether every law is drawn without approximation, by rejection and with 64 bits of a normal variable's
            radius and angle; the default has the errors that `numerics.samplers.quantiles.relative_error` computes,
            below 10^-10 in float64 for 2 degrees or more, and those of the method.
        progress: whether to show progress, and the device, on standard error.
        out: folder that keeps the run, a file for every chunk as it is done; it has one writer at a time, which may be
            all processes together.
        resume: whether to go on with the run in ``out``: only what is missing there is computed, and the result has the
            same bits as without an interruption.

    Raises:
        ValueError: a symbol without a value, an argument out of range, a device that is missing, a folder that holds
            another run or cannot be written to.

    >>> from theory import Gaussian, Loop
    >>> run = simulate(Loop(Gaussian()).at(M=100), start={"mu": 0, "V": 1}, generations=3, chains=5)
    >>> dict(run.sizes), list(run.data_vars)
    ({'chain': 5, 'generation': 4}, ['mu', 'V', 'log_V'])
    >>> loop, asked = Loop(Gaussian(0, 1), samples=100), {"log_V": "quantiles([0.1, 0.9])"}
    >>> simulate(loop, generations=3, chains=1000, paths=False, summaries=asked)["log_V_quantile"].shape
    (4, 2)
    """
    how = device, devices, precision, exact
    asked = Request(loop, start, generations, chains, seed, paths, observe, summaries, method, chunk, *how)
    members = group(processes)
    begun = partial(_begun, asked, progress and members.rank == 0)
    run = keeping(out, resume, asked.parts, asked.identity, members)
    with run as kept, jax.enable_x64(True), jax.default_device(asked.chosen[0]):
        data = collected(asked.plan, kept(begun), chains)
    return data.assign_attrs(asked.attributes)


def _begun(asked: Request, progress: bool, there: Collection[int], elsewhere: Collection[int]) -> Iterator[Stretch]:
    """Return the stretches that begin neither in what is there nor elsewhere, with progress where it is asked for."""
    parts = asked.parts
    run = stretches(asked.plan, asked.given, asked.seed, parts.chains, parts.chunk, {*there, *elsewhere}, asked.chosen)
    done, others = (sum(min(parts.chunk, parts.chains - first) for first in firsts) for firsts in (there, elsewhere))
    return shown(run, parts.chains - others, asked.attributes["device"], done) if progress else run
