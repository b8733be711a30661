"""Real data that loads offline: the prose of Python's own documentation, and any text or CSV file.

A loop that starts from real data must say which: each set carries its name, SHA-256, licence and citation.
"""

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np

from numerics.texts.tables import DELIMITERS, columns, numbers, only_numeric

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# A full stop inside these ends no sentence.
STOP = re.compile(r"(?<=[.?!])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bcf\.)(?<!\bvs\.)[\"'”’)\]]*\s+")
HEADING = re.compile(r"^.*\n[ \t]*([*=~^#\"+-])\1{2,}[ \t]*$", re.MULTILINE)
BULLET = re.compile(r"^\s*[*•-]\s+", re.MULTILINE)
BLANK_LINE = re.compile(r"\n[ \t]*\n")
GRAMMAR = re.compile(r"::=|>>>|^\s*\|", re.MULTILINE)
PROSE_SHARE = 0.9
YOURS = "as its owner says"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sha256_of_text(corpus: "Corpus") -> str:
    return _sha256(corpus.text.encode())


def _sha256_of_values(column: "Column") -> str:
    return _sha256(column.values.tobytes())


def _floats(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """A read-only float64 copy, so that nobody changes data that has a SHA-256."""
    copy = np.array(values, dtype=np.float64)
    copy.setflags(write=False)
    return copy


def _require_spread(values: np.ndarray, name: str) -> None:
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape} where (N,) is needed. Give one column.")
    if len(values) < 2:
        raise ValueError(f"{name} has {len(values)} value(s) where 2 or more are needed. Give more data.")
    if not np.isfinite(values).all():
        raise ValueError(f"value {np.argmin(np.isfinite(values))} of {name} is not finite. Take it out.")
    if values.min() == values.max():
        raise ValueError(f"{name}: all {len(values)} values are {values[0]:g}. Give values that vary.")


@attrs.frozen
class Corpus:
    """A text and where it comes from; `sha256` is that of the file's bytes, or of the text in UTF-8.

    >>> corpus = Corpus("The cat sat. The dog, it didn't sit!")
    >>> corpus.words()[:3], dict(corpus.counts())["the"]
    (('the', 'cat', 'sat'), 2)
    >>> corpus.sentences()
    ['The cat sat.', "The dog, it didn't sit!"]
    """

    text: str = attrs.field(repr=False)
    name: str = "text"
    sha256: str = attrs.field(default=attrs.Factory(_sha256_of_text, takes_self=True))
    licence: str = YOURS
    citation: str = ""

    def __attrs_post_init__(self) -> None:
        if not WORD.search(self.text):
            raise ValueError(f"{self.name} holds no words. Give a text with at least one letter in it.")

    def words(self) -> tuple[str, ...]:
        """Return the word tokens in order, in lower case: runs of letters, apostrophes inside them kept."""
        return tuple(WORD.findall(self.text.lower()))

    def counts(self) -> Mapping[str, int]:
        """Return word -> number of times it occurs, by falling count and then by the alphabet."""
        counted = Counter(self.words()).items()
        return MappingProxyType(dict(sorted(counted, key=lambda item: (-item[1], item[0]))))

    def sentences(self) -> list[str]:
        """Return the sentences of three words or more, white space made single, in order.

        A sentence ends at a full stop, a question mark or an exclamation mark before white space, at a blank
        line, or before a bullet. Underlined headings and paragraphs of program or grammar are left out.
        """
        paragraphs = BLANK_LINE.split(BULLET.sub("\n\n", HEADING.sub("\n", self.text)))
        prose = (paragraph for paragraph in paragraphs if _is_prose(paragraph))
        pieces = (" ".join(piece.split()) for paragraph in prose for piece in _split(paragraph))
        return [piece for piece in pieces if len(WORD.findall(piece)) >= 3]

    def log_lengths(self) -> np.ndarray:
        """Return log(number of characters) of each sentence, float64 of shape (sentences,).

        Raises ValueError for fewer than two sentences, or if all are equally long.
        """
        lengths = np.array([len(sentence) for sentence in self.sentences()])
        _require_spread(lengths, f"sentence lengths of {self.name}")
        return _floats(np.log(lengths))

    def features(self) -> np.ndarray:
        """Return (log characters, log words) of each sentence, float64 of shape (sentences, 2), correlated.

        Raises ValueError for fewer than two sentences, or if all are equally long in characters or in words.
        """
        counts = np.array([len(WORD.findall(sentence)) for sentence in self.sentences()])
        _require_spread(counts, f"sentence word counts of {self.name}")
        return _floats(np.column_stack([self.log_lengths(), np.log(counts)]))


@attrs.frozen
class Column:
    """A column of numbers and where it comes from; `values` is read-only float64 of shape (N,), N >= 2.

    Raises ValueError for fewer than two values, a value that is not finite, or a variance of zero.

    >>> Column([1, 2, 4], "heights").values
    array([1., 2., 4.])
    """

    values: np.ndarray = attrs.field(converter=_floats, repr=False, eq=False)
    name: str = "column"
    sha256: str = attrs.field(default=attrs.Factory(_sha256_of_values, takes_self=True))
    licence: str = YOURS
    citation: str = ""

    def __attrs_post_init__(self) -> None:
        _require_spread(self.values, self.name)


def prose() -> Corpus:
    """Return the help topics of the running Python: some 65,000 words of English prose, always at hand.

    The text differs between versions of Python, so its SHA-256 says which was read.
    Raises ValueError where Python was installed without its help topics.

    >>> prose().name.startswith("Python help topics")
    True
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        problem = f"this Python ({sys.executable}) has no help topics (module pydoc_data)."
        raise ValueError(f"{problem} Use one with its full standard library, or load a text file.") from error
    version = ".".join(map(str, sys.version_info[:3]))
    return Corpus(
        text="\n\n".join(topics[key] for key in sorted(topics)),
        name=f"Python help topics ({version})",
        licence="PSF-2.0",
        citation=f"Python Software Foundation. The Python Language Reference, version {version}.",
    )


def load(path: str | Path, column: str | None = None) -> Corpus | Column:
    """Return the numbers of a CSV file's `column`, or the text of any other file (UTF-8).

    A file that ends in .csv (commas) or .tsv (tabs) has the names of its columns on the first line; `column`
    may be left out when only one column is numeric. Rows are counted as a spreadsheet does, the names being
    row 1. Raises ValueError with the reason and the remedy for a file that cannot be used.
    """
    path = Path(path)
    if path.suffix.lower() not in DELIMITERS:
        if column is not None:
            raise ValueError(f"{path.name} is read as text, without columns. Leave column={column!r} out.")
        return read_text(path)
    table, sha256 = read_table(path)
    name = column if column is not None else only_numeric(table, path)
    return Column(numbers(table, name), f"column {name!r} of {path.name}", sha256)


def read_text(path: Path) -> Corpus:
    """Return the text of a file in UTF-8."""
    content = _read(path)
    return Corpus(_decode(content, path), path.name, _sha256(content))


def read_table(path: Path) -> tuple[dict[str, list[str]], str]:
    """Return the cells of a .csv or .tsv table by column, and the SHA-256 of the file."""
    content = _read(path)
    return columns(_decode(content, path), path), _sha256(content)


def _is_prose(paragraph: str) -> bool:
    """Whether a paragraph is written for people: hardly anything but letters, spaces and punctuation."""
    plain = sum(character.isalpha() or character in " \n,.;:'’\"" for character in paragraph)
    return not GRAMMAR.search(paragraph) and plain >= PROSE_SHARE * len(paragraph)


def _split(paragraph: str) -> list[str]:
    """The sentences of a paragraph, each with the mark and the quotes that close it."""
    ends = [match.end() for match in STOP.finditer(paragraph)]
    return [paragraph[a:b] for a, b in zip([0, *ends], [*ends, len(paragraph)], strict=True)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {str(path)!r}. Check the path.") from error
    except IsADirectoryError as error:
        raise ValueError(f"{str(path)!r} is a folder. Name one file in it.") from error
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be read ({error.strerror}). Name a readable file.") from error


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        problem = f"{path.name} is not UTF-8 text (byte {error.start} is {content[error.start]:#04x})."
        raise ValueError(f"{problem} Save it as UTF-8, or give another file.") from error


def described(data: Corpus | Column) -> dict[str, Any]:
    """Return what there is to say about real input: name, hash, licence, source and size."""
    facts: dict[str, Any] = {
        "name": data.name,
        "sha256": data.sha256,
        "licence": data.licence,
        "citation": data.citation,
    }
    if isinstance(data, Column):
        return facts | {"values": len(data.values)}
    return facts | {"words": len(data.words()), "word types": len(data.counts()), "sentences": len(data.sentences())}
