"""The table of the three error sources: every case derived where it can be, simulated twice, and judged.

`collapse sources` is this module with options. A case is held against its exact value where it has one,
and always against the slow simulator, which draws every data point in NumPy and shares no sampler, fit or moment with
the fast one, so that no row is without a verdict.
"""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve, field, frozen
from scipy.special import ndtri
from sympy import oo
from tqdm import tqdm

from numerics.agreement import ROUNDING
from numerics.compared import sample_sem
from numerics.metrics import measured
from numerics.observe import evaluate
from numerics.reference import reference
from numerics.reference.recorded import recorded
from numerics.reports.report import Row, to_json, to_text, write_html, write_whole
from numerics.simulate import simulate
from proofs.cases import Case, cases
from proofs.folders import writable
from proofs.job import SourcesJob
from proofs.verify import checked
from theory import Loop, NoClosedForm, NotClosed

LEVEL, POWER, ASKED = 1e-4, 0.9, 0.1
"""Family-wise false-alarm probability of the table; the probability with which the relative error asked for is seen."""
MANY, FEW = 1000, 4000
"""Points that stand for infinitely many where raw data are drawn, and the chains that draw them."""
COMPARISONS = 2
"""Comparisons of a row at most: with its exact value, and with raw data."""


@frozen
class Mean:
    """A mean over chains, or a number without randomness.

    Args:
        value: the mean.
        error: its standard error; infinite where the mean is too skewed to be read by a normal law.
        bias: what it may be off by beside, where so many points stand for infinitely many.
    """

    value: float
    error: float
    bias: float = 0.0

    @classmethod
    def of(cls, values: np.ndarray) -> "Mean":
        """Return the mean of values by chain."""
        if len(values) == 1 or not np.ptp(values):
            return cls(float(values[0]), 0.0)
        return cls(float(values.mean()), float(sample_sem(values[:, None])[0]))

    def __str__(self) -> str:
        """Return value and error."""
        told = f"{self.value:.5g}" + (f" +- {self.error:.1g}" if self.error else "")
        return told + (f", off by at most {self.bias:.1g}" if self.bias else "")


@frozen
class Seen:
    """What is known of a case: its exact value, the two simulations, and why one of them is missing."""

    exact: float | None
    fast: Mean | None
    raw: Mean | None
    reasons: Mapping[str, str] = field(factory=dict)
    off: float = 0.0
    """What the exact value may be off by, where it is a leading term."""

    @property
    def scale(self) -> float:
        """What errors are relative to."""
        known = [self.exact] if self.exact is not None else [x.value for x in (self.fast, self.raw) if x is not None]
        return max(map(abs, known)) or 1.0

    def differences(self) -> Iterator[tuple[float, float, float]]:
        """Yield (difference, its standard error, its bias at most) of each comparison."""
        exact = None if self.exact is None else Mean(self.exact, 0.0, self.off)
        pairs = [(exact, self.fast or self.raw), (self.fast, self.raw)]
        for one, two in pairs:
            if one is not None and two is not None:
                error = max(float(np.hypot(one.error, two.error)), ROUNDING * self.scale)
                yield one.value - two.value, error, one.bias + two.bias

    def verdict(self, z: float) -> str:
        """Return agree, disagree or underpowered; z is the critical distance in standard errors."""
        if any(abs(difference) > z * error + bias for difference, error, bias in self.differences()):
            return "disagree"
        return "agree" if self.smallest(z) <= ASKED else "underpowered"

    def smallest(self, z: float) -> float:
        """Return the relative error that every comparison would have seen, infinite where there is none."""
        seen = [((z + float(ndtri(POWER))) * error + bias) / self.scale for _, error, bias in self.differences()]
        return max(seen, default=float("inf"))


def table(
    chosen: Iterable[Case] | None = None, *, chains: int = 20_000, seed: int = 0, progress: bool = False
) -> tuple[Row, ...]:
    """Return a row for every case.

    Args:
        chosen: cases; all of them where left out.
        chains: runs of every loop.
        seed: of the fast simulation; the slow one has a generator of its own, spawned from it.
        progress: whether to show progress on standard error.
    """
    rows = list(cases() if chosen is None else chosen)
    z = float(-ndtri(LEVEL / 2 / COMPARISONS / max(len(rows), 1)))
    bar = tqdm(
        rows,
        disable=not progress,
        unit="loop",
        bar_format="{desc:<44}{percentage:3.0f}%|{bar:24}| {n_fmt}/{total_fmt} [{elapsed}]",
    )
    found = []
    for case in bar:
        bar.set_description(case.title[:43])
        found.append(_row(case, chains, seed, z))
    return tuple(found)


def made(job: SourcesJob) -> tuple[Row, ...]:
    """Return the table that a job asks for, or raise ValueError before anything is computed that cannot be written."""
    writable(job.out)
    chosen = [case for case in cases() if job.only in (None, case.source)]
    return table(chosen, chains=job.chains, seed=job.seed, progress=True)


def holds(rows: Iterable[Row]) -> bool:
    """Return whether every row that was compared agrees, with power, and no certificate was rejected."""
    bad = ("disagree", "underpowered")
    return not any(row.verdict in bad or row.certificate.startswith("rejected") for row in rows)


def text(rows: Sequence[Row], job: SourcesJob, width: int) -> str:
    """Return the table for a terminal."""
    facts = _provenance(rows, job)
    return f"{to_text(rows, width)}\n{facts['rows']}; {facts['judged']}."


def as_json(rows: Sequence[Row], job: SourcesJob) -> str:
    """Return the table as JSON."""
    return to_json(rows, _provenance(rows, job)).rstrip()


def write(rows: Sequence[Row], job: SourcesJob) -> dict[str, Path]:
    """Write the table as a page and as JSON into the job's folder, and return what was written."""
    facts = _provenance(rows, job)
    page = write_html(rows, {}, job.out / "sources.html", facts, "The three error sources: theory against simulation")
    return {"page": page, "table": write_whole(job.out / "sources.json", to_json(rows, facts))}


def _provenance(rows: Sequence[Row], job: SourcesJob) -> dict[str, Any]:
    count = Counter(row.certificate.partition(":")[0] for row in rows)
    derived = f"{count['proved']} closed forms with a certificate, {count['tested']} other exact values"
    packages = ("collapse-theory", "jax", "numpy", "sympy")
    return {
        "rows": f"{len(rows)} rows: {derived}, {count['none']} without, each with its reason",
        "judged": f"family-wise false-alarm level {LEVEL:g}, power {POWER:g}; held to data drawn and fitted in NumPy",
        "chains": job.chains,
        "seed": job.seed,
        "versions": ", ".join(f"{name} {version(name)}" for name in packages) + f", Python {platform.python_version()}",
    }


def _row(case: Case, chains: int, seed: int, z: float) -> Row:
    try:
        loop = case.here
    except ValueError as refusal:
        return _undeclared(case, str(refusal))
    known = seen(case, loop, round(case.effort * chains), seed)
    formula, certificate, reason = _derived(case, known)
    shown = known.fast or known.raw or Mean(float("nan"), 0.0)
    return Row(
        claim=case.title,
        observable=case.observable,
        formula=formula,
        generation=case.generations,
        theory=float("nan") if known.exact is None else known.exact,
        simulation=shown.value,
        error=shown.error if np.isfinite(shown.error) else float("nan"),
        smallest=_finite(known.smallest(z)),
        verdict=known.verdict(z),
        certificate=certificate,
        source=case.source,
        note=_note(case, known, reason),
    )


def seen(case: Case, loop: Loop, chains: int, seed: int) -> Seen:
    """Return the exact value of a case, its fast simulation and its raw one, as far as there are such."""
    reasons: dict[str, str] = {}
    exact = _tried("theory", case.exact, reasons)
    fast = _tried("simulation", lambda: _fast(case, loop, chains, seed, exact is not None), reasons)
    drawn = partial(_many, _drawn) if loop.samples == oo else _drawn
    raw = _tried("raw data", lambda: drawn(case, loop, chains, seed), reasons)
    return Seen(exact, fast, raw, reasons, 0.0 if exact is None else case.off())


def _tried(what: str, ask: Any, reasons: dict[str, str]) -> Any:
    """Return the answer, or None and the first sentence of the refusal among the reasons."""
    try:
        return ask()
    except (NotClosed, NoClosedForm, ValueError) as refusal:
        reasons[what] = str(refusal).split(". ")[0]
        return None


def _fast(case: Case, loop: Loop, chains: int, seed: int, exact: bool) -> Mean:
    """Return the library's own simulation; of infinitely many points one run, or many points where nothing else is
    known.
    """
    if loop.samples != oo:
        return _simulated(case, loop, chains, seed)
    try:
        return _simulated(case, loop, 1, seed)
    except (NotClosed, ValueError):
        if exact:
            raise
        return _many(_simulated, case, loop, chains, seed)


def _simulated(case: Case, loop: Loop, chains: int, seed: int) -> Mean:
    run = simulate(loop, generations=case.generations, chains=chains, seed=seed)
    return Mean.of(_values(case, loop, run.isel(generation=[-1])))


def _drawn(case: Case, loop: Loop, chains: int, seed: int) -> Mean:
    rng = np.random.default_rng([seed, 1])
    run = recorded(loop, reference(loop, None, case.generations, chains, rng))
    return Mean.of(_values(case, loop, run.isel(generation=[-1])))


def _many(run: Callable[..., Mean], case: Case, loop: Loop, chains: int, seed: int) -> Mean:
    """Return the mean of many points, off by at most what half as many differ from it."""
    few = min(chains, FEW)
    whole, half = (run(case, evolve(loop, samples=size), few, seed) for size in (MANY, MANY // 2))
    return evolve(whole, bias=abs(whole.value - half.value) + float(np.hypot(3 * whole.error, 3 * half.error)))


def _values(case: Case, loop: Loop, run: Any) -> np.ndarray:
    """Return what is asked of the last model, by chain."""
    if isinstance(case.of, str):
        return measured(loop, case.of, run)[:, 0]
    return evaluate(case.of.subs(case.at), run)[:, 0]


def _derived(case: Case, known: Seen) -> tuple[Any, str, str]:
    """Return the closed form, what the checker says of it, and why there is none."""
    try:
        formula, certificate = case.formula()
    except (NotClosed, NoClosedForm, ValueError) as refusal:
        reason = known.reasons.get("theory", str(refusal).split(". ")[0])
        return None, "tested" if known.exact is not None else "none: no closed form", reason
    if known.exact is None:
        return None, "none: no closed form", known.reasons["theory"]
    return formula, checked(certificate), ""


def _note(case: Case, known: Seen, reason: str) -> str:
    """Return what the row shows, why it has no closed form, and what the raw data say."""
    kind = "Exact at every n" if known.exact is not None else "Simulated only"
    told = [case.note, f"{kind}: {reason}" if reason else ""]
    told.append(f"At this M the leading term is off by at most {known.off:.1g}" if known.off else "")
    stands = f" ({MANY} points for infinitely many)" if known.raw and known.raw.bias else ""
    told.append(f"Raw data in NumPy{stands}: {known.raw}" if known.raw else f"No raw data: {known.reasons['raw data']}")
    if "simulation" in known.reasons:
        told.append(f"Not simulated by the library: {known.reasons['simulation']}")
    return ". ".join(filter(None, told))


def _undeclared(case: Case, reason: str) -> Row:
    """Return the row of a loop that cannot be declared."""
    nan, told = float("nan"), f"Cannot be declared: {reason}"
    return Row(
        case.title,
        case.observable,
        None,
        case.generations,
        nan,
        nan,
        nan,
        nan,
        "no closed form",
        "none: no loop",
        case.source,
        told,
    )


def _finite(value: float) -> float:
    return value if np.isfinite(value) else float("nan")
