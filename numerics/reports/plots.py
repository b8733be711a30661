"""Theory as a line, simulation as points with bars: the few things that every figure is made of."""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.agreement import Agreement
from numerics.running.whole import replacing

WIDTHS = {
    "icml": 3.25,
    "icml2": 6.75,
    "neurips": 5.5,
    "iclr": 5.5,
    "tmlr": 6.5,
    "jmlr": 6.0,
    "nature": 3.5,
    "nature2": 7.2,
}
"""Text or column widths in inches."""
STYLE = Path(__file__).parent / "styles" / "collapse.mplstyle"


@contextmanager
def style() -> Iterator[None]:
    """Use the project's style inside the block."""
    with plt.style.context(str(STYLE)):
        yield


def compared(
    ax: Axes, agreement: Agreement, label: str, *, every: int = 1, scale: float = 1.0, color: str | None = None
) -> None:
    """Draw theory as a line and simulation as points, with bars at the verdict's own simultaneous level."""
    (line,) = ax.plot(agreement.generations, agreement.theory / scale, color=color, label=label)
    bars = agreement.thresholds[0] * agreement.error / scale
    at = slice(every - 1, None, every)
    ax.errorbar(
        agreement.generations[at],
        (agreement.simulation / scale)[at],
        bars[at],
        fmt="o",
        mfc="white",
        color=line.get_color(),
        elinewidth=0.8,
    )


def svg(figure: Figure) -> str:
    """Return the figure as an SVG element, the same bytes for the same figure."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "<svg" + buffer.getvalue().partition("<svg")[2]


def writable(path: Path) -> str:
    """Return the format that a path's ending names, for a file that can be written.

    Raises:
        ValueError: another ending than .pdf, .svg or .png, or a folder that is not there.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("pdf", "svg", "png"):
        raise ValueError(f"{path} ends in {path.suffix or 'nothing'}. A figure is written as .pdf, .svg or .png.")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {str(path.parent)!r} for the figure. Make it, or name another.")
    return kind


def save(figure: Figure, path: Path, provenance: Mapping[str, Any]) -> Path:
    """Write the figure as .pdf, .svg or .png, by its path, whole or not at all, with its provenance as JSON."""
    kind, facts = writable(path), json.dumps(provenance, default=str)
    pdf = {"Subject": facts, "CreationDate": None, "ModDate": None}
    metadata = {"pdf": pdf, "svg": {"Description": facts, "Date": None}, "png": {"Description": facts}}
    with replacing(path) as partial:
        figure.savefig(partial, format=kind, metadata=metadata[kind])
    return path
