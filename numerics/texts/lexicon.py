"""Lexicons of real language: how often each word occurs, from a text, a frequency list or the `wordfreq` package.

A loop on words needs their frequencies and nothing else; where they come from is kept with them, as for every data set.
"""

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from attrs import field, frozen

from numerics.texts.data import YOURS, Corpus, prose, read_table, read_text
from numerics.texts.tables import numbers, numeric

PACKAGE = "wordfreq"
TABLES = (".csv", ".tsv")


@frozen
class Lexicon:
    """Words with their frequencies, the most frequent first.

    Args:
        words: the word types.
        counts: how often each occurs, or any numbers > 0 proportional to that, shape (types,).
        name: where they come from, with ``sha256`` of the bytes read, ``licence`` and ``citation``.
        whole: whether ``counts`` are numbers of tokens, so that their sum is the size of a text.

    >>> seen = of_corpus(Corpus("a rose is a rose"))
    >>> seen.words, seen.tokens, seen.frequencies.tolist()
    (('a', 'rose', 'is'), 5, [0.4, 0.4, 0.2])
    """

    words: tuple[str, ...] = field(repr=False)
    counts: np.ndarray = field(repr=False, eq=False)
    name: str
    sha256: str
    licence: str = YOURS
    citation: str = ""
    whole: bool = True

    @property
    def tokens(self) -> int | None:
        """The number of tokens counted, None for frequencies that count none."""
        return int(self.counts.sum()) if self.whole else None

    @property
    def frequencies(self) -> np.ndarray:
        """The frequencies p_i = c_i/sum c, shape (types,), float64."""
        return self.counts / self.counts.sum()


def lexicon(source: str | Path | None = None) -> Lexicon:
    """Return the words of a source.

    Args:
        source: a text file; a .csv or .tsv table with one column of words and one of counts or frequencies;
            "wordfreq:en" for a language of the `wordfreq` package (extra ``data``); the prose of this Python's own
            documentation where it is left out.

    Raises:
        ValueError: a file that cannot be read, a table that is no list of words, or a language that is not there.
    """
    if source is None:
        return of_corpus(prose())
    package, _, language = str(source).partition(":")
    if package == PACKAGE:
        return _of_package(language or "en")
    path = Path(source)
    return _of_table(path) if path.suffix.lower() in TABLES else of_corpus(read_text(path))


def of_corpus(corpus: Corpus) -> Lexicon:
    """Return the words of a text, counted."""
    return _sorted(corpus.counts(), corpus.name, corpus.sha256, corpus.licence, corpus.citation, whole=True)


def _sorted(
    counts: Mapping[str, float], name: str, digest: str, licence: str, citation: str, *, whole: bool
) -> Lexicon:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    counted = np.array([count for _, count in ranked], dtype=np.float64)
    counted.setflags(write=False)
    return Lexicon(tuple(word for word, _ in ranked), counted, name, digest, licence, citation, whole)


def _of_table(path: Path) -> Lexicon:
    table, digest = read_table(path)
    counted = numeric(table)
    named = [name for name in table if name not in counted]
    if len(counted) != 1 or len(named) != 1:
        raise ValueError(
            f"{path.name} has {len(named)} columns of words and {len(counted)} of numbers. "
            "A frequency list has one of each, such as word,count."
        )
    words, counts = table[named[0]], numbers(table, counted[0])
    _check_list(words, counts, path)
    whole = all(count.is_integer() for count in counts)
    return _sorted(dict(zip(words, counts, strict=True)), path.name, digest, YOURS, "", whole=whole)


def _check_list(words: list[str], counts: list[float], path: Path) -> None:
    for row, (word, count) in enumerate(zip(words, counts, strict=True), start=2):
        if count <= 0:
            raise ValueError(f"row {row} of {path.name} counts {word!r} {count:g} times. Take the row out.")
    if twice := [word for word, times in Counter(words).items() if times > 1]:
        raise ValueError(f"{path.name} lists {twice[0]!r} twice. Add its counts up.")


def _of_package(language: str) -> Lexicon:
    if find_spec(PACKAGE) is None:
        raise ValueError(
            f"{PACKAGE}:{language} needs the package {PACKAGE}, which is not installed. "
            "Install the extra: pip install 'collapse-theory[data]'."
        )
    package = import_module(PACKAGE)
    known = package.available_languages("best")
    if language not in known:
        raise ValueError(f"{PACKAGE} has no language {language!r}. Choose one of {', '.join(sorted(known))}.")
    content = Path(known[language]).read_bytes()
    frequencies = package.get_frequency_dict(language, wordlist="best")
    return _sorted(
        frequencies,
        f"{PACKAGE} {version(PACKAGE)}, language {language}",
        sha256(content).hexdigest(),
        "CC BY-SA 4.0",
        "Robyn Speer, rspeer/wordfreq, https://doi.org/10.5281/zenodo.7199437",
        whole=False,
    )
