"""The table of theory against simulation as a page, as JSON and as plain text.

A verdict convinces only beside what it rests on, so all three say the same: what was claimed, what was seen,
how small an error would have been seen, and how far the formula is proved.
"""

import html
import json
import math
import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import sympy

from numerics.reports.mathml import EXPECTATION, mathml, terms
from numerics.reports.page import PAGE, STYLE
from numerics.running.whole import explained, replacing

MARKS = {"agree": "✓", "disagree": "✗", "underpowered": "◐", "no closed form": "○"}
SOURCES = ("statistical", "expressivity", "approximation", "all")
CERTIFICATE = re.compile(r"proved|enclosed|tested|(rejected|none): .+")
NARROWEST = 40
TEXT_HEADS = ["n", "theory", "simulation", "verdict", "could see", "certificate", "source"]
ABSENT = "—"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
OUTSIDE = re.compile(r"(?:href|src)\s*=\s*[\"'](?!#|data:)|url\([\"']?(?!#|data:)|@import|<script|<[^>]*\son\w+\s*=")


def _expression(value: Any) -> Any:
    return None if value is None else sympy.sympify(value, strict=True)  # strict: a string is no formula


@attrs.frozen
class Row:
    """One claim, E[observable] = formula at one generation, beside what a simulation saw.

    `theory` is the formula's value, `simulation` the estimate with standard error `error`, `smallest` the
    smallest relative error of the formula that this run would have caught; NaN means that there is none.
    `verdict` is agree, disagree, underpowered or no closed form; `certificate` is proved, enclosed, tested,
    "rejected: reason" or "none: reason"; `source` is statistical, expressivity, approximation or all.
    Raises ValueError for any other word, and for a generation, error or smallest below zero.
    """

    claim: str
    observable: sympy.Expr | None = attrs.field(converter=_expression)
    formula: sympy.Expr | None = attrs.field(converter=_expression)
    generation: int
    theory: float = attrs.field(converter=float)
    simulation: float = attrs.field(converter=float)
    error: float = attrs.field(converter=float)
    smallest: float = attrs.field(converter=float)
    verdict: str
    certificate: str
    source: str
    note: str = ""

    def __attrs_post_init__(self) -> None:
        for name, words in (("verdict", MARKS), ("source", SOURCES)):
            if getattr(self, name) not in words:
                value = getattr(self, name)
                raise ValueError(f"{name} {value!r} is not known. Say one of: {', '.join(words)}.")
        if not CERTIFICATE.fullmatch(self.certificate):
            known = "proved, enclosed, tested, 'rejected: reason', 'none: reason'"
            raise ValueError(f"certificate {self.certificate!r} is not known. Say one of: {known}.")
        for name in ("generation", "error", "smallest"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, below zero. Give 0 or more.")

    @property
    def equation(self) -> str:
        """The claim on one line, in SymPy's notation."""
        sides = [f"E[{self.observable}]"] * (self.observable is not None)
        return " = ".join(sides + [str(self.formula)] * (self.formula is not None))

    @property
    def difference(self) -> float:
        """(simulation - theory) / |theory|, or NaN where theory is absent or zero."""
        return (self.simulation - self.theory) / abs(self.theory) if self.theory else math.nan


def summary(rows: Sequence[Row]) -> str:
    """Return the verdict on the whole table in one sentence.

    >>> summary([])
    'No claim was compared.'
    """
    if not rows:
        return "No claim was compared."
    count = Counter(row.verdict for row in rows)
    parts = [
        f"{count['agree']} of {len(rows)} claims agree{'s' * (count['agree'] == 1)} with simulation",
        f"{count['disagree']} disagree{'s' * (count['disagree'] == 1)}",
        f"{count['underpowered']} {'is' if count['underpowered'] == 1 else 'are'} underpowered",
        f"{count['no closed form']} {'has' if count['no closed form'] == 1 else 'have'} no closed form",
    ]
    return "; ".join(parts[:1] + [part for part in parts[1:] if not part.startswith("0 ")]) + "."


def to_json(rows: Sequence[Row], provenance: Mapping[str, Any]) -> str:
    """Return the table and where it comes from as JSON: sorted keys, null for NaN and infinity.

    >>> json.loads(to_json([], {"seed": 0}))["provenance"]
    {'seed': 0}
    """
    table = [attrs.asdict(row) for row in rows]
    content = {"summary": summary(rows), "provenance": provenance, "rows": table}
    return json.dumps(_plain(content), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """The value in JSON's own types; what JSON has no type for becomes its string."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return _plain(sorted(value, key=str))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's and JAX's numbers and arrays
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)


def to_text(rows: Sequence[Row], width: int = 100) -> str:
    """Return the table for a terminal, no line wider than `width` (40 or more), then the summary.

    Each row is its claim with the equation, then the numbers under their heads. Columns that do not fit are
    left out from the right, and a long equation ends in an ellipsis. Raises ValueError for a narrower width.
    """
    if width < NARROWEST:
        raise ValueError(f"width {width} is too narrow for a table. Give {NARROWEST} or more.")
    cells = [TEXT_HEADS, *(_text_cells(row) for row in rows)]
    sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
    while sum(sizes) + 2 * len(sizes) > width:
        sizes.pop()
    lines = [_text_line(cell, sizes) for cell in cells]
    blocks = [[lines[0], "─" * width]]
    blocks += [[*_text_claim(row, width), line] for row, line in zip(rows, lines[1:], strict=True)]
    blocks += [["", *textwrap.wrap(summary(rows), width)]]
    return "\n".join(_short(line, width) for block in blocks for line in block) + "\n"


def _text_cells(row: Row) -> list[str]:
    numbers = [str(row.generation), _number(row.theory), _estimate(row.simulation, row.error)]
    proof = row.certificate.partition(":")[0]
    return [*numbers, row.verdict, _percent(row.smallest), proof, row.source]


def _text_line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    numbers = [f"{cell:>{size}}" for cell, size in zip(cells[:3], sizes, strict=False)]
    words = [f"{cell:<{size}}" for cell, size in zip(cells[3:], sizes[3:], strict=False)]
    return "  " + "  ".join([*numbers, *words]).rstrip()


def _text_claim(row: Row, width: int) -> list[str]:
    """The claim and its equation, on one line where they fit, and the note on as many as it needs."""
    claim = f"{MARKS[row.verdict]} {row.claim}"
    both = f"{claim}: {row.equation}" if row.equation else claim
    lines = [both] if len(both) <= width else [claim, f"  {row.equation}"]
    return lines + textwrap.wrap(row.note, width, initial_indent="  ", subsequent_indent="  ")


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip(" +-*/(") + "…"


def _number(value: float, digits: int = 6) -> str:
    """A number to so many digits, with a power of ten only where it is shorter."""
    if not math.isfinite(value):
        return ABSENT if math.isnan(value) else ("∞" if value > 0 else "−∞")
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    if value and not -4 <= int(power) < 6:
        return f"{mantissa}×10{str(int(power)).translate(RAISED)}".replace("-", "−")
    return f"{value:.{max(digits, int(power) + 1)}g}".replace("-", "−")


def _percent(ratio: float) -> str:
    return _number(100 * ratio, 2) + (" %" if math.isfinite(ratio) else "")


def _estimate(value: float, error: float) -> str:
    """A value with its standard error, to two digits of the error and in one power of ten."""
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return _number(value)
    power = math.floor(math.log10(max(abs(value), error)))
    shift = 0 if -4 <= power < 6 else power
    places = min(max(1 + shift - math.floor(math.log10(error)), 0), 12)
    shown = [f"{Decimal(number).scaleb(-shift):.{places}f}".replace("-", "−") for number in (value, error)]
    return " ± ".join(shown) if not shift else f"({' ± '.join(shown)})×10{str(shift).translate(RAISED)}"


def write_html(
    table: Sequence[Row],
    figures: Mapping[str, str],
    path: str | Path,
    provenance: Mapping[str, Any],
    title: str = "Theory against simulation",
) -> Path:
    """Write one self-contained page (no script, no network) and return its path.

    `figures` maps a caption to an SVG, `provenance` a name to what is to be shown beside it. The page is
    written whole or not at all. Raises ValueError for a figure that is no SVG or refers to something outside
    the page, and for a folder that cannot be written to.
    """
    shown = [_figure(caption, svg, number) for number, (caption, svg) in enumerate(figures.items(), start=1)]
    facts = [f"<div><dt>{_text(k)}</dt><dd>{_text(_fact(v))}</dd></div>" for k, v in provenance.items()]
    page = PAGE.format(
        title=_text(title),
        style=STYLE,
        state=_worst(table),
        summary=_text(summary(table)),
        provenance="\n".join(facts),
        rows="\n".join(_table_row(row) for row in table),
        figures="\n".join(shown),
    )
    return write_whole(Path(path), page)


def _worst(table: Sequence[Row]) -> str:
    found = {row.verdict for row in table}
    return next((word for word in ("disagree", "underpowered", "agree") if word in found), "none")


def _text(value: Any) -> str:
    return html.escape(str(value))


def _fact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False)


def _table_row(row: Row) -> str:
    proof, _, reason = row.certificate.partition(": ")
    sign = "+" if row.difference > 0 else ""
    difference = "" if math.isnan(row.difference) else sign + _percent(row.difference)
    badge = f'<span class="badge {row.verdict.replace(" ", "-")}">{MARKS[row.verdict]} {row.verdict}</span>'
    cells = [
        ("Claim", "claim", f"<p>{_text(row.claim)}</p>" + _equation(row) + _small(row.note)),
        ("Generation n", "number", row.generation),
        ("Theory", "number", _number(row.theory)),
        ("Simulation", "number", _estimate(row.simulation, row.error) + _small(difference)),
        ("Could see", "number", _percent(row.smallest)),
        ("Verdict", "", badge),
        ("Certificate", "proof", f'<span class="{proof}">{proof}</span>' + _small(reason)),
        ("Error source", "", row.source),
    ]
    tags = (f'<td class="{kind}" data-label="{name}">{cell}</td>' for name, kind, cell in cells)
    return f"<tr>{''.join(tags)}</tr>"


def _small(text: str) -> str:
    return f"<p class=note>{_text(text)}</p>" if text else ""


def _equation(row: Row) -> str:
    """The equation in as many <math> as it has terms: browsers break a line between them, and not within."""
    left = [] if row.observable is None else [mathml(EXPECTATION(row.observable))]
    right = [] if row.formula is None else terms(row.formula)
    if left and right:
        right[0] = '<mo form="infix">=</mo>' + right[0]
    pieces = "<wbr>".join(f"<math displaystyle=true>{piece}</math>" for piece in left + right)
    return f"<div class=equation>{pieces}</div>" if pieces else ""


def _figure(caption: str, svg: str, number: int) -> str:
    """A figure with the names inside its SVG made its own, for those of two figures may clash on one page."""
    start, end = svg.find("<svg"), svg.rfind("</svg>")
    if start < 0 or end < start:
        raise ValueError(f"figure {caption!r} is no SVG. Save it with format='svg'.")
    body = svg[start : end + len("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    if found := OUTSIDE.search(body):
        raise ValueError(f"figure {caption!r} refers outside the page ({found[0]}). Embed it as data.")
    body = re.sub(r"((?<=\s)id=\"|href=\"#|url\(#)", rf"\g<1>f{number}-", body)
    return f"<figure>{body}<figcaption><b>Figure {number}.</b> {_text(caption)}</figcaption></figure>"


def write_whole(path: Path, text: str) -> Path:
    """Write beside the target, in a folder made if need be, and rename, so that nobody ever reads half a page."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path
