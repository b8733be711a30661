"""The rows of the table of error sources: every listed form of each, as a declared loop."""

from proofs.cases.approximation import cases as approximation
from proofs.cases.case import Case as Case
from proofs.cases.cells import cases as cells
from proofs.cases.expressivity import cases as expressivity
from proofs.cases.rates import cases as rates
from proofs.cases.statistical import cases as statistical


def cases() -> list[Case]:
    """Return all rows, source by source."""
    return [*statistical(), *rates(), *expressivity(), *approximation(), *cells()]
