"""`collapse derive --tokens`: which words of a text retraining loses, and how much real text keeps them, as a table."""

import json
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

from attrs import frozen

from numerics.reports.plots import save, writable
from numerics.texts.lexicon import lexicon
from numerics.texts.retention import Class, Retention, retention

EXAMPLES = 6
"""Words of each class that are named."""


@frozen
class WordsJob:
    """The question: a source of words, M ("M" for the size of the text), generations, shares to keep, a figure."""

    tokens: str
    samples: str
    generations: tuple[int, ...]
    keep: tuple[float, ...]
    figure: Path | None


def answer(job: WordsJob, width: int, *, as_json: bool) -> str:
    """Return the answer as text or JSON, with the figure written where one is asked for.

    Raises:
        ValueError: a source that cannot be read, or numbers out of range.
    """
    if job.figure is not None:
        writable(job.figure)
    words = lexicon(None if job.tokens == "prose" else job.tokens)
    found = retention(words, _samples(job.samples), job.generations)
    needed = {share: (_needed(found, share, found.generations[-1]), _needed(found, share, inf)) for share in job.keep}
    written = "\n".join(_lines(found, needed, width))
    if job.figure is not None:
        from numerics.figures.words import draw

        saved = save(draw(found), job.figure, {"source": words.name, "sha256": words.sha256, "samples": found.samples})
        written += f"\n\nfigure: {saved}"
    return json.dumps(_plain(found, needed)) if as_json else written


def _samples(text: str) -> int | None:
    if text == "M":
        return None
    if not text.isdigit():
        raise ValueError(f"--samples {text} is no number of tokens. Give a whole number from 1 to 2000000.")
    return int(text)


def _needed(found: Retention, share: float, generation: float) -> float | str:
    """Return the least real share, or why there is none."""
    return found.why_no_share(share, generation) or found.share(share, generation)


def _lines(found: Retention, needed: dict[float, tuple[float | str, float | str]], width: int) -> Iterator[str]:
    words, support = found.lexicon, found.support
    yield f"{words.name}: {len(words.words):,} word types, M = {found.samples:,} tokens per generation."
    yield f"licence {words.licence}, sha256 {words.sha256}"
    yield ""
    yield _row("expected copies", "words", [f"n = {n}" for n in found.generations], "gone, such as", width)
    for one in found.classes:
        chances = [f"{100 * chance:.4g} %" for chance in one.lost]
        yield _row(one.title, f"{len(one.words):,}", chances, ", ".join(_examples(one)), width)
    left = [f"{value:,.1f}" for value in support.value]
    yield _row("words left", f"{len(words.words):,}", left, f"each to {max(support.error):.0e} at most", width)
    yield ""
    yield "Real tokens in every generation that are proved to keep a share of the word types:"
    last = found.generations[-1]
    for share, (finite, ever) in needed.items():
        answers = f"at n = {last}: {_told(finite, found)}; for ever: {_told(ever, found)}"
        yield f"  {100 * share:g} % " + (finite if isinstance(finite, str) else answers)


def _row(title: str, words: str, cells: list[str], remark: str, width: int) -> str:
    line = f"{title:<16} {words:>9} " + " ".join(f"{cell:>11}" for cell in cells) + f"  {remark}"
    return line[:width].rstrip()


def _examples(one: Class) -> tuple[str, ...]:
    """Return words spread over the class."""
    step = max(1, len(one.words) // EXAMPLES)
    return one.words[::step][:EXAMPLES]


def _told(alpha: float | str, found: Retention) -> str:
    if isinstance(alpha, str):
        return "not by any share"
    return f"{alpha:.3g} of them, {found.samples * alpha:,.0f} tokens"


def _plain(found: Retention, needed: dict[float, tuple[float | str, float | str]]) -> dict[str, Any]:
    words, support = found.lexicon, found.support
    return {
        "source": {"name": words.name, "sha256": words.sha256, "licence": words.licence, "citation": words.citation},
        "types": len(words.words),
        "samples": found.samples,
        "generations": list(found.generations),
        "left": {"value": support.value.tolist(), "error": support.error.tolist()},
        "classes": [
            {"copies": one.title, "words": len(one.words), "lost": one.lost.tolist(), "examples": _examples(one)}
            for one in found.classes
        ],
        "real_share": [
            {"keep": share, "at_last": finite, "for_ever": ever} for share, (finite, ever) in needed.items()
        ],
    }
