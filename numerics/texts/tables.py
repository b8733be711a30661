"""Tables of a file: columns by name, and the numbers in one, or the reason why there are none."""

import csv
import difflib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

DELIMITERS = {".csv": ",", ".tsv": "\t"}
MISSING = {"", "na", "n/a", "null", "none", "-"}


def columns(text: str, path: Path) -> dict[str, list[str]]:
    """The columns of a table by name, after a check of its shape."""
    rows = _rows(text, path)
    while rows and not any(rows[-1]):  # blank lines at the end are no missing numbers
        rows.pop()
    if not rows:
        raise ValueError(f"{path.name} is empty. Give a table with column names on the first line.")
    names, body = [name.strip() for name in rows[0]], rows[1:]
    _check_names(names, path)
    for number, row in enumerate(body, start=2):
        if len(row) != len(names) and any(row):
            problem = f"row {number} of {path.name} has {len(row)} cells for {len(names)} columns."
            raise ValueError(f"{problem} Put quotes around a cell that holds the separator.")
    return {name: [row[i] if row else "" for row in body] for i, name in enumerate(names)}


def numeric(table: Mapping[str, list[str]]) -> list[str]:
    """The columns that hold numbers and no words."""
    return [name for name, cells in table.items() if _is_numeric([_number(cell) for cell in cells])]


def only_numeric(table: Mapping[str, list[str]], path: Path) -> str:
    """The one column that holds numbers."""
    names = numeric(table)
    if not names:
        raise ValueError(f"{path.name} has no column of numbers among {', '.join(table)}. Give one that has.")
    if len(names) > 1:
        problem = f"{path.name} has {len(names)} columns of numbers: {', '.join(names)}."
        raise ValueError(f"{problem} Name one of them, as in column={names[0]!r}.")
    return names[0]


def numbers(table: Mapping[str, list[str]], name: str) -> list[float]:
    """The numbers of a column, every one of them present and finite."""
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1)
        guess = f"Did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no column {name!r}. {guess}The columns are: {', '.join(table)}.")
    found = []
    for row, cell in enumerate(table[name], start=2):
        value = _number(cell)
        if value is None:
            raise ValueError(_words_message(table, name, row, cell))
        if not np.isfinite(value):
            state = f"is {cell.strip()!r}, which is not finite" if cell.strip() else "is missing"
            raise ValueError(f"row {row} of column {name!r} {state}. Fill in a number, or take the row out.")
        found.append(value)
    return found


def _number(cell: str) -> float | None:
    """The number in a cell, NaN where one is missing, None for words."""
    if cell.strip().lower() in MISSING:
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        return None


def _rows(text: str, path: Path) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text), delimiter=DELIMITERS[path.suffix.lower()]))
    except csv.Error as error:
        raise ValueError(f"{path.name} is no table ({error}). Look for a quote left open.") from error


def _check_names(names: list[str], path: Path) -> None:
    if all(_number(name) is not None for name in names):
        problem = f"the first line of {path.name} is {', '.join(names)}, which names no columns."
        raise ValueError(f"{problem} Put a line above it that names each.")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"{path.name} has two columns named {twice[0]!r}. Rename one of them.")


def _is_numeric(numbers: Sequence[float | None]) -> bool:
    present = [number for number in numbers if number is not None]
    return len(present) == len(numbers) and bool(np.isfinite(present).any())


def _words_message(table: Mapping[str, list[str]], name: str, row: int, cell: str) -> str:
    problem = f"column {name!r} holds words ({cell!r} in row {row}) where numbers are needed"
    if names := numeric(table):
        return f"{problem}; name a numeric column: {', '.join(names)}."
    return f"{problem}; give a table that has a column of numbers."
