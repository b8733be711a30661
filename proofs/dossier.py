"""The dossier: every theorem with its certificate, its tie to theory, its simulation, and what it takes on trust, in
one table.
"""

from textwrap import wrap
from typing import Any

from attrs import asdict, frozen
from tqdm import tqdm

from proofs.kernel import Rejected
from proofs.theorem import Theorem, prove
from proofs.theorems import ALL
from proofs.ties import simulated, tied

FORMAL = "none"
"""Machine-checked development beside the kernel's certificate."""


@frozen
class Entry:
    """One theorem. ``certificate`` is "proved" or says what was rejected; ``tie`` is "equal" or says where it is not.

    ``simulation`` is a verdict with the smallest relative error that it could have seen, or "not run".
    """

    name: str
    statement: str
    certificate: str
    formal: str
    tie: str
    simulation: str
    assumes: tuple[str, ...]
    source: str

    @property
    def holds(self) -> bool:
        """Whether it is proved, says what theory derives, and no simulation disagrees or lacks the power to."""
        return self.certificate == "proved" and self.tie == "equal" and self.simulation.startswith(("agree", "not run"))

    def plain(self) -> dict[str, Any]:
        """Return the entry as plain data."""
        return asdict(self)


def dossier(*, simulate: bool = False) -> tuple[Entry, ...]:
    """Check every theorem; with ``simulate`` hold each against a simulation of its loop too."""
    return tuple(entry(theorem, simulate=simulate) for theorem in tqdm(ALL, unit="theorem", disable=not simulate))


def entry(theorem: Theorem, *, simulate: bool = False) -> Entry:
    """Return the dossier's entry for one theorem."""
    return Entry(
        name=theorem.name,
        statement=theorem.statement,
        certificate=_certificate(theorem),
        formal=FORMAL,
        tie=tied(theorem) or "equal",
        simulation=_simulation(theorem) if simulate else "not run",
        assumes=theorem.assumes,
        source=theorem.source,
    )


def _certificate(theorem: Theorem) -> str:
    try:
        prove(theorem)
    except Rejected as rejection:
        return f"rejected: {rejection}"
    return "proved"


def _simulation(theorem: Theorem) -> str:
    agreement = simulated(theorem)
    return f"{agreement.verdict}, could see {agreement.smallest.min():.2%}"


def as_text(entries: tuple[Entry, ...], width: int) -> str:
    """Return the dossier for a terminal."""
    trust = sorted({fact for entry in entries for fact in entry.assumes})
    lines = [f"{'theorem':<28}{'certificate':<14}{'formal':<8}{'theory':<8}{'simulation':<26}takes on trust"]
    for entry in entries:
        facts = ", ".join(f"[{trust.index(fact) + 1}]" for fact in entry.assumes)
        lines.append(
            f"{entry.name:<28}{entry.certificate:<14}{entry.formal:<8}{entry.tie:<8}{entry.simulation:<26}{facts}"
        )
        lines += wrap(entry.statement, width - 4, initial_indent="    ", subsequent_indent="    ")
    lines += ["", "Taken on trust:"]
    for number, fact in enumerate(trust, start=1):
        lines += wrap(f"[{number}] {fact}", width, subsequent_indent="    ")
    return "\n".join([*lines, "", f"{sum(entry.holds for entry in entries)} of {len(entries)} theorems hold."])
