"""The main job: derive the claims on real data, simulate them, prove them, and write one table.

`collapse verify` is this module with options. Every claim ends in a row: what theory says, what the simulation saw and
could have seen, the verdict, and whether the checker accepted the closed form.
"""

import json
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from attrs import evolve, frozen
from sympy import Expr
from tqdm import tqdm

from numerics.agreement import Agreement, agree
from numerics.compared import Curve
from numerics.figures import verify as figure
from numerics.observe import evaluate
from numerics.reports.plots import save, svg
from numerics.reports.report import Row, to_json, to_text, write_html, write_whole
from numerics.simulate import simulate
from numerics.texts.data import Column, Corpus, load, prose
from proofs.claims import Claim, Experiment, expressivity, gaussian, single_sources, words
from proofs.job import Job
from proofs.kernel import Rejected, check
from theory import V0, Expectation, M, NoClosedForm, NotClosed, expect, n
from theory.certificate import Certificate

ASKED = 0.1
"""Smallest relative error that every claim's run must be able to see."""
LEVEL = 1e-4
"""Family-wise false-alarm probability of the whole table."""
PLANTED_AT = "ML, replace: mean variance"
PLANTED = V0 * ((M - 1) / M) ** (n + 1)
"""E V_n of the maximum likelihood loop with the data sets counted in place of the models: one factor too many."""


@frozen
class Outcome:
    """The rows of the table, the comparisons behind them by claim, and where it all comes from."""

    rows: tuple[Row, ...]
    agreements: Mapping[str, Agreement]
    provenance: Mapping[str, Any]

    @property
    def holds(self) -> bool:
        """Whether every claim that has a closed form agrees, with power, and no certificate was rejected."""
        return not self.failures

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows that disagree, could not be judged, or have no accepted certificate."""
        wrong = ("disagree", "underpowered")
        return tuple(row for row in self.rows if row.verdict in wrong or row.certificate.startswith("rejected"))


def verify(job: Job, progress: bool = True) -> Outcome:
    """Run the job: derive, simulate, compare, check.

    Raises:
        ValueError: data that cannot be read or used, or a device that is missing.
    """
    data = prose() if job.data is None else load(job.data, job.column)
    experiments = planned(job, data)
    claims = sum(len(e.claims) for e in experiments) + job.plant
    rows, agreements, device = [], {}, ""
    bar = tqdm(
        experiments,
        disable=not progress,
        unit="loop",
        bar_format="{desc:<44}{percentage:3.0f}%|{bar:24}| {n_fmt}/{total_fmt} [{elapsed}]",
    )
    for experiment in bar:
        bar.set_description(experiment.title[:43])
        run = _run(experiment, job)
        device = run.attrs["device"]
        for row, agreement in _judged(experiment, run, LEVEL / claims, job):
            rows.append(row)
            if agreement is not None:
                agreements[row.claim] = agreement
    return Outcome(tuple(rows), agreements, _provenance(job, data, device))


def planned(job: Job, data: Corpus | Column) -> list[Experiment]:
    """Return the experiments that the data allow: a column of numbers has no words and no second feature."""
    values = data.values if isinstance(data, Column) else data.log_lengths()
    numbers = gaussian(values, job.samples, job.chains) + single_sources(values, job.samples, job.chains)
    if isinstance(data, Column):
        return numbers
    return [
        *numbers,
        *expressivity(data.features(), job.samples, job.costly_chains),
        *words(tuple(data.counts().values()), job.samples, job.costly_chains),
    ]


def _run(experiment: Experiment, job: Job) -> xr.Dataset:
    run = simulate(
        experiment.here,
        experiment.start,
        generations=job.generations,
        chains=experiment.chains,
        seed=job.seed,
        observe=experiment.observe,
        device=job.device,
    )
    return experiment.measure(run)


def _judged(experiment: Experiment, run: xr.Dataset, level: float, job: Job) -> Iterator[tuple[Row, Agreement | None]]:
    for claim in experiment.claims:
        yield _row(experiment, claim, run, level)
        if job.plant and claim.title == PLANTED_AT:
            yield _planted(experiment, claim, run, level)


def _planted(experiment: Experiment, claim: Claim, run: xr.Dataset, level: float) -> tuple[Row, Agreement]:
    agreement = agree(
        expect(experiment.here, claim.observable),
        run,
        claim=PLANTED.subs(M, experiment.here.samples),
        level=level,
        smallest=ASKED,
    )
    row = _filled(claim, agreement, PLANTED, checked((expect(experiment.loop, claim.observable).certify(PLANTED),)))
    note = "one factor too many, as if data sets were counted for models"
    return evolve(row, claim="PLANTED ERROR, " + claim.title, note=note), agreement


def _row(experiment: Experiment, claim: Claim, run: xr.Dataset, level: float) -> tuple[Row, Agreement | None]:
    try:
        here = claim.derive(experiment.here)
        agreement = agree(_prediction(claim, here, run), run, level=level, smallest=ASKED)
        symbolic = claim.derive(experiment.loop)
        return _filled(claim, agreement, symbolic.expression, checked(symbolic.certificate)), agreement
    except (NotClosed, NoClosedForm) as refusal:
        return _refused(claim, run, str(refusal)), None


def _prediction(claim: Claim, here: Any, run: xr.Dataset) -> Expectation | Curve:
    if claim.variable is None:
        return here
    return Curve(claim.title, claim.variable, [float(value) for value in here.values(run.sizes["generation"] - 1)])


def _filled(claim: Claim, agreement: Agreement, formula: Expr, certificate: str) -> Row:
    return Row(
        claim=claim.title,
        observable=claim.observable,
        formula=formula,
        generation=int(agreement.generations[-1]),
        theory=agreement.theory[-1],
        simulation=agreement.simulation[-1],
        error=_finite(agreement.error[-1]),
        smallest=_finite(agreement.smallest.min()),
        verdict=agreement.verdict,
        certificate=certificate,
        source=claim.source,
        note=claim.note,
    )


def _finite(value: float) -> float:
    """Return the value, NaN for one that is infinite: the table has no number to show."""
    return float(value) if np.isfinite(value) else float("nan")


def _refused(claim: Claim, run: xr.Dataset, reason: str) -> Row:
    """Return the row of a claim that has no closed form, with what the simulation saw."""
    nan = float("nan")
    samples = (
        evaluate(claim.observable, run)[:, -1] if claim.variable is None else run[claim.variable].to_numpy()[:, -1]
    )
    mean, error = float(samples.mean()), float(samples.std(ddof=1) / np.sqrt(len(samples)))
    last = run.sizes["generation"] - 1
    return Row(
        claim.title,
        claim.observable,
        None,
        last,
        nan,
        mean,
        error,
        nan,
        "no closed form",
        "none: no closed form",
        claim.source,
        reason,
    )


def checked(certificates: tuple[Certificate, ...]) -> str:
    """Return what the independent checker says of the closed form."""
    if not certificates:
        return "tested"
    try:
        for certificate in certificates:
            check(certificate.data)
    except Rejected as rejection:
        return f"rejected: {rejection}"
    return "proved"


def _provenance(job: Job, data: Corpus | Column, device: str) -> dict[str, Any]:
    packages = ("collapse-theory", "jax", "numpy", "sympy")
    return {
        "data": data.name,
        "sha256": data.sha256,
        "licence": data.licence,
        "samples": job.samples,
        "generations": job.generations,
        "chains": job.chains,
        "seed": job.seed,
        "device": device,
        "false-alarm level": f"{LEVEL:g} for the whole table, power 0.9",
        "versions": ", ".join(f"{name} {version(name)}" for name in packages) + f", Python {platform.python_version()}",
    }


def write(outcome: Outcome, job: Job) -> dict[str, Path]:
    """Write the table as JSON, the report as HTML and the figure as PDF into the job's folder.

    Raises:
        ValueError: the folder cannot be written to.
    """
    folder, drawn = job.out, draw(outcome, job)
    caption = "Theory (lines) against simulation (points; bars at the table's simultaneous level)."
    picture = svg(drawn)
    page = write_html(outcome.rows, {caption: picture}, folder / "report.html", outcome.provenance)
    return {
        "report": page,
        "table": write_whole(folder / "table.json", to_json(outcome.rows, outcome.provenance)),
        "figure": save(drawn, folder / "figure.pdf", outcome.provenance),
        "picture": write_whole(folder / "figure.svg", picture),
    }


def draw(outcome: Outcome, job: Job) -> Any:
    """Return the figure: mean variance under ML and under the unbiased estimator, and the words that are left."""
    panels = {
        "maximum likelihood: mean variance": _curves(outcome, "ML, ", ": mean variance"),
        "unbiased: variance of the mean": _curves(outcome, "unbiased, ", ": variance of the mean"),
        "words: probability of being lost": _curves(outcome, "words ", ": lost"),
    }
    footnote = (
        f"M = {job.samples}; {job.chains:,} chains ({job.costly_chains:,} of words); "
        f"bars at the simultaneous level {LEVEL:g}; points end where a mean over these chains is too skewed to be read"
    )
    return figure.draw({title: curves for title, curves in panels.items() if curves}, footnote)


def _curves(outcome: Outcome, start: str, end: str) -> dict[str, Agreement]:
    named = outcome.agreements.items()
    return {
        title.removeprefix(start).removesuffix(end): a
        for title, a in named
        if title.startswith(start) and title.endswith(end)
    }


def text(outcome: Outcome, width: int) -> str:
    """Return the table for a terminal, with its one-line summary, and what it was made from."""
    facts = outcome.provenance
    return (
        f"{to_text(outcome.rows, width)}\n"
        f"Data: {facts['data']}, sha256 {facts['sha256']}. Ran on {facts['device']} with seed {facts['seed']}; "
        f"false-alarm level {facts['false-alarm level']}."
    )


def as_json(outcome: Outcome) -> str:
    """Return the table as JSON text."""
    return json.dumps(json.loads(to_json(outcome.rows, outcome.provenance)))
