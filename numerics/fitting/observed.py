"""A curve that somebody has measured: one number by generation, for one run or several.

Generation 0 is the source, the law of the real data; model n has been fitted n times. A run may end before the others
do; a generation that is missing in between is refused, because a refit's law ties neighbours together.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from attrs import frozen

Observable = Literal["variance", "entropy", "perplexity", "vocabulary"]
OBSERVABLES: tuple[Observable, ...] = get_args(Observable)
LEAST = 3
"""Refits that a curve must show, of all runs together: two numbers are inferred from them at least."""


@frozen(eq=False)
class Observed:
    """Values by run and generation.

    Args:
        values: shape (runs, generations); NaN behind the end of a run.
        observable: "variance", "entropy" of a Gaussian in nats, its "perplexity" exp(entropy), or "vocabulary".
        first: the generation of the first column.
        name: where the curve is from.
    """

    values: np.ndarray
    observable: Observable
    first: int = 0
    name: str = "curve"

    @property
    def generations(self) -> np.ndarray:
        """The generations of the columns."""
        return self.first + np.arange(self.values.shape[1])

    @property
    def refits(self) -> int:
        """How many refits are seen, of all runs together."""
        return int(np.isfinite(self.values).sum()) - len(self.values)

    @property
    def log_ratios(self) -> np.ndarray:
        """log(V_n/V_first) for what is a function of a Gaussian's variance: h = log(2 pi e V)/2."""
        logs = {"variance": np.log, "entropy": lambda h: 2 * h, "perplexity": lambda x: 2 * np.log(x)}[self.observable]
        return logs(self.values) - logs(self.values[:, :1])

    def shown(self, log_ratios: Any) -> np.ndarray:
        """Return values of the observable that have the given log(V_n/V_first) in the first run."""
        start = self.values[0, 0]
        if self.observable == "entropy":
            return start + np.asarray(log_ratios) / 2
        return start * np.exp(np.asarray(log_ratios) * (0.5 if self.observable == "perplexity" else 1.0))


def observed(values: Any, observable: str = "variance", *, first: int = 0, name: str = "curve") -> Observed:
    """Return a checked curve from one run's values or from rows of several.

    Raises:
        ValueError: another observable, values that are none of it, or fewer than three refits.

    >>> observed([1.0, 0.9, 0.85, 0.7]).refits
    3
    """
    if observable not in OBSERVABLES:
        raise ValueError(f"observable = {observable!r} is not known. Choose one of {', '.join(OBSERVABLES)}.")
    table = np.atleast_2d(np.asarray(values, dtype=float))
    kind: Any = observable
    curve = Observed(table, kind, first, name)
    _check(curve)
    return curve


def _check(curve: Observed) -> None:
    name, values = curve.name, curve.values
    seen = np.isfinite(values)
    if np.any(np.diff(seen.astype(int), axis=1) > 0) or not seen[:, 0].all():
        run, place = np.argwhere(~seen)[0]
        raise ValueError(
            f"{name}: run {run} has no value at generation {curve.generations[place]}, and has one later. A refit's "
            "law ties neighbours together: give every generation, and the same first one for every run."
        )
    if curve.refits < LEAST:
        raise ValueError(f"{name}: {curve.refits} refits say too little. Give at least {LEAST + 1} generations.")
    known = values[seen]
    if curve.observable != "entropy" and known.min() <= 0:
        run, place = np.argwhere(np.where(seen, values, np.inf) <= 0)[0]
        raise ValueError(
            f"{name}: the {curve.observable} of run {run} at generation {curve.generations[place]} is "
            f"{values[run, place]:g}. Give positive values, and end a run before it is dead."
        )
    if curve.observable == "vocabulary" and np.any(known != np.round(known)):
        odd = known[known != np.round(known)][0]
        raise ValueError(f"{name}: {odd:g} is no count of types. Give whole numbers, or say another observable.")


def read_curve(path: Path | str, observable: str | None = None) -> Observed:
    """Return the curve of a CSV file with a header: generation, run if there are several, and the value.

    Args:
        path: the file. The value's column is named for its observable, or "value".
        observable: which; needed only where the header leaves it open.

    Raises:
        ValueError: a file that cannot be read as such; the sentence names the line.
    """
    rows, header = _rows(Path(path))
    column = _column(str(path), header, observable)
    kind = observable or column
    table: dict[str, dict[int, float]] = {}
    for line, row in rows:
        generation = _number(path, line, "generation", row, whole=True)
        run = table.setdefault(row.get("run", "0"), {})
        if int(generation) in run:
            raise ValueError(
                f"{path}, line {line}: generation {int(generation)} is there twice. Tell runs by a column run."
            )
        run[int(generation)] = _number(path, line, column, row)
    return observed(_square(table), kind, first=min(map(min, table.values())), name=Path(path).name)


def _rows(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ValueError(f"{str(path)!r} cannot be read ({reason}). Give a CSV file.") from error
    lines = list(csv.reader(text.splitlines()))
    header = [word.strip().lower() for word in lines[0]] if lines else []
    if "generation" not in header:
        raise ValueError(
            f"{path}: the first line {','.join(header)[:60]!r} has no column generation. Begin with a header such as "
            "generation,run,value."
        )
    rows = [(k, dict(zip(header, map(str.strip, row), strict=False))) for k, row in enumerate(lines[1:], 2) if any(row)]
    if not rows:
        raise ValueError(f"{path}: there is no line below the header. Give one line for every generation.")
    return rows, header


def _column(path: str, header: Sequence[str], observable: str | None) -> str:
    named = [word for word in header if word in OBSERVABLES]
    if observable in header:
        return str(observable)
    if "value" in header and observable is not None:
        return "value"
    if len(named) == 1 and observable is None:
        return named[0]
    held = ", ".join(word for word in header if word not in ("generation", "run"))
    asked = f"has no column {observable} and none called value" if observable else "leaves open what its values are"
    raise ValueError(f"{path}: the header ({held}) {asked}. Say --observable {'|'.join(OBSERVABLES)}.")


def _number(path: Any, line: int, column: str, row: dict[str, str], *, whole: bool = False) -> float:
    text = row.get(column, "")
    try:
        value = float(int(text)) if whole else float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value) or (whole and value < 0):
        kind = "whole number >= 0" if whole else "number"
        raise ValueError(f"{path}, line {line}: {column} is {text!r}. Give a {kind}.")
    return value


def _square(table: dict[str, dict[int, float]]) -> np.ndarray:
    first, last = min(map(min, table.values())), max(map(max, table.values()))
    return np.array([[run.get(k, np.nan) for k in range(first, last + 1)] for run in table.values()])
