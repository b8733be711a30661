"""Word frequencies: from texts, lists and a package, each saying where it comes from, or why it cannot be used."""

import hashlib
from importlib.util import find_spec

import numpy as np
import pytest

from numerics.texts.data import Corpus, prose
from numerics.texts.lexicon import lexicon, of_corpus

LIST = "word,count\nthe,60\nof,30\nrose,10\n"


@pytest.fixture
def written(tmp_path):
    """A function that writes a file and returns its path."""

    def write(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_default_is_the_prose_of_this_python():
    """Assert that the words are those of the corpus, with its hash and licence, the most frequent first."""
    here, corpus = lexicon(), prose()
    assert dict(zip(here.words, here.counts.tolist(), strict=True)) == dict(corpus.counts())
    assert (here.sha256, here.licence) == (corpus.sha256, corpus.licence)
    assert here.tokens == len(corpus.words())
    assert np.all(np.diff(here.counts) <= 0)


def test_frequencies_sum_to_one():
    """Assert p_i = c_i/sum c."""
    here = of_corpus(Corpus("a rose is a rose is a rose"))
    assert here.frequencies.tolist() == [3 / 8, 3 / 8, 2 / 8]


def test_a_text_file_is_counted(written):
    """Assert that a text is read word by word, and that its hash is the file's."""
    path = written("poem.txt", "A rose is a rose.")
    here = lexicon(path)
    assert dict(zip(here.words, here.counts.tolist(), strict=True)) == {"a": 2, "rose": 2, "is": 1}
    assert here.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("name", "text"), [("list.csv", LIST), ("list.tsv", LIST.replace(",", "\t"))])
def test_a_frequency_list_is_read(written, name, text):
    """Assert that the columns are found by what they hold, in either order."""
    for content in (text, "\n".join(reversed_columns(text, "\t" if "tsv" in name else ","))):
        here = lexicon(written(name, content))
        assert (here.words, here.counts.tolist(), here.tokens) == (("the", "of", "rose"), [60, 30, 10], 100)


def reversed_columns(text, mark):
    """The lines of a table, each read backwards."""
    return [mark.join(reversed(line.split(mark))) for line in text.splitlines()]


def test_relative_frequencies_count_no_tokens(written):
    """Assert that a list of shares has no size of its own."""
    here = lexicon(written("shares.csv", "word,share\nthe,0.5\nof,0.25\n"))
    assert here.tokens is None
    assert here.frequencies.tolist() == [2 / 3, 1 / 3]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("word,count\nthe,60\nof,0\n", "row 3 of list.csv counts 'of' 0 times"),
        ("word,count\nthe,60\nthe,10\n", "lists 'the' twice"),
        ("word,count,rank\nthe,60,1\n", "1 columns of words and 2 of numbers"),
        ("word,other\nthe,of\n", "2 columns of words and 0 of numbers"),
    ],
)
def test_what_is_no_list_of_words_is_refused(written, text, says):
    """Assert that a refusal says what is wrong, and where."""
    with pytest.raises(ValueError, match=says):
        lexicon(written("list.csv", text))


def test_a_missing_package_names_its_extra(monkeypatch):
    """Assert that without the package the extra to install is named."""
    monkeypatch.setattr("numerics.texts.lexicon.find_spec", {}.get)
    with pytest.raises(ValueError, match=r"collapse-theory\[data\]"):
        lexicon("wordfreq:en")


@pytest.mark.skipif(find_spec("wordfreq") is None, reason="wordfreq is not installed (extra: data)")
def test_a_language_of_the_package():
    """Assert that English is large, its licence named, and an unknown language refused."""
    here = lexicon("wordfreq:en")
    assert len(here.words) > 300_000
    assert (here.words[0], here.licence, here.tokens) == ("the", "CC BY-SA 4.0", None)
    with pytest.raises(ValueError, match="no language 'xx'"):
        lexicon("wordfreq:xx")
