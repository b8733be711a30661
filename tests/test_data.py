"""Real data loads offline, says what it is, and refuses with a reason what no loop could start from."""

import ast
import hashlib
import inspect
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.texts import data, tables
from numerics.texts.data import Column, Corpus, load, prose

TEXT = """The title
=========

It works, e.g. on a text like this one. Does it?  "Yes, it does."

   for_stmt ::= "for" target_list "in" starred_list ":" suite

* a bullet without a stop
* another bullet that follows it

Two words.
"""


@pytest.fixture
def write(tmp_path):
    """A function that writes a file and returns its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_prose_is_english_in_bulk():
    """Assert that the help topics give enough prose to fit something to."""
    corpus = prose()
    assert len(corpus.words()) > 50_000
    assert len(corpus.counts()) > 2_500
    assert next(iter(corpus.counts())) == "the"
    assert len(corpus.sentences()) > 2_000


def test_prose_is_the_same_every_time_and_says_which():
    """Assert that the SHA-256 is that of the text, and the name that of the running Python."""
    corpus = prose()
    assert corpus == prose()
    assert corpus.sha256 == hashlib.sha256(corpus.text.encode()).hexdigest()
    assert ".".join(map(str, sys.version_info[:3])) in corpus.name
    assert corpus.licence == "PSF-2.0"


def test_prose_without_topics_says_what_to_do(monkeypatch):
    """Assert that a Python without help topics gets a sentence instead of an ImportError."""
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(ValueError, match=r"has no help topics .* load a text file"):
        prose()


def test_sentences_leave_markup_out():
    """Assert that headings, grammar and short pieces go, and that e.g. ends no sentence."""
    assert Corpus(TEXT).sentences() == [
        "It works, e.g. on a text like this one.",
        '"Yes, it does."',
        "a bullet without a stop",
        "another bullet that follows it",
    ]


def test_sentences_of_prose_are_sentences():
    """Assert that what is kept of the help topics holds no grammar and has three words or more."""
    for sentence in prose().sentences():
        assert "::=" not in sentence
        assert "\n" not in sentence
        assert len(data.WORD.findall(sentence)) >= 3


@given(st.text(alphabet="aB ’'.\n-7é", min_size=1).map(lambda text: "x " + text))
def test_counts_count_words(text):
    """Assert that counts add up to the words and fall, with ties in alphabetical order."""
    corpus = Corpus(text)
    counts = list(corpus.counts().items())
    assert sum(count for _, count in counts) == len(corpus.words())
    assert counts == sorted(counts, key=lambda item: (-item[1], item[0]))


def test_counts_cannot_be_changed():
    """Assert that a shared count is safe from its readers."""
    counts = Corpus("a b").counts()
    with pytest.raises(TypeError):
        counts["a"] = 7  # type: ignore[index]


def test_features_begin_with_log_lengths():
    """Assert that the first feature is log_lengths, the second counts words, and that they go together."""
    corpus = prose()
    features = corpus.features()
    assert features.shape == (len(corpus.sentences()), 2)
    assert np.array_equal(features[:, 0], corpus.log_lengths())
    assert np.all(features[:, 1] >= np.log(3))
    assert np.corrcoef(features.T)[0, 1] > 0.8
    assert np.allclose(np.exp(corpus.log_lengths())[:3], [len(s) for s in corpus.sentences()[:3]])


def test_arrays_are_float64_and_read_only():
    """Assert that data with a SHA-256 stays what it is."""
    for array in (prose().log_lengths(), prose().features(), Column([1, 2]).values):
        assert array.dtype == np.float64
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_column_copies_what_it_is_given():
    """Assert that changing the caller's array later does not change the column."""
    given_array = np.array([1.0, 2.0])
    column = Column(given_array)
    given_array[0] = 5
    assert column.values[0] == 1
    assert column == Column([1, 2])


def test_load_text(write):
    """Assert that a text file of any name becomes a corpus, its mark and line ends put right."""
    content = "\ufeffOne two three.\r\nFour five six.".encode()
    corpus = load(write("essay.md", content))
    assert isinstance(corpus, Corpus)
    assert corpus.text == "One two three.\nFour five six."
    assert (corpus.name, corpus.sha256) == ("essay.md", hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(("name", "separator"), [("t.csv", ","), ("T.CSV", ","), ("t.tsv", "\t")])
def test_load_named_and_only_column(write, name, separator):
    """Assert that a column is found by name, or by being the only numeric one."""
    rows = [["who", "height"], ["Ann, the first", "1.5"], ["Bob", " 2e0 "]]
    text = "\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows) + "\n\n"
    for column in ("height", None):
        loaded = load(write(name, text), column)
        assert isinstance(loaded, Column)
        assert loaded.values.tolist() == [1.5, 2.0]
        assert loaded.name == f"column 'height' of {name}"


def test_load_unnamed_index_column(write):
    """Assert that the nameless first column that data frames write is no obstacle."""
    loaded = load(write("t.csv", ",x\n0,1.5\n1,2.5\n"), "x")
    assert isinstance(loaded, Column)
    assert loaded.values.tolist() == [1.5, 2.5]


REFUSED_TABLES = [
    ("x,y\n1,a\n2,b\n", "y", r"column 'y' holds words \('a' in row 2\).* needed; name a numeric column: x\."),
    ("x\na\nb\n", "x", r"holds words \('a' in row 2\).* give a table that has a column of numbers"),
    ("x,y\n1,a\n", None, r"has 1 value\(s\) where 2 or more"),
    ("height\n1\n2\n", "heigth", r"no column 'heigth'\. Did you mean 'height'\? The columns are: height"),
    ("x,y\n1,2\n3,4\n", None, r"has 2 columns of numbers: x, y\. Name one of them, as in column='x'"),
    ("x,y\na,b\n", None, r"no column of numbers among x, y"),
    ("x\n1\n2\nNaN\n", "x", r"row 4 of column 'x' is 'NaN', which is not finite"),
    ("x\n1\n1e999\n", "x", r"row 3 of column 'x' is '1e999', which is not finite"),
    ("x\n1\n\n2\n", "x", r"row 3 of column 'x' is missing\. Fill in a number"),
    ("x,y\n1,2\n,3\n", "x", r"row 3 of column 'x' is missing"),
    ("x\n1\nNA\n", "x", r"row 3 of column 'x' is 'NA', which is not finite"),
    ("x,y\n1,2\n1,2,3\n", "x", r"row 3 of t\.csv has 3 cells for 2 columns\. Put quotes"),
    ("x,x\n1,2\n", "x", r"two columns named 'x'"),
    ("1,2\n3,4\n", None, r"first line of t\.csv is 1, 2, which names no columns"),
    ("x\n5\n5\n5\n", "x", r"all 3 values are 5\. Give values that vary"),
    ("", None, r"t\.csv is empty"),
    ("x\n", "x", r"has 0 value\(s\)"),
    ('x\n"' + "1" * 200_000, "x", r"t\.csv is no table .* quote left open"),
]


@pytest.mark.parametrize(("text", "column", "message"), REFUSED_TABLES)
def test_load_refuses_tables(write, text, column, message):
    """Assert that a table that gives no usable numbers is refused with a reason and a remedy."""
    with pytest.raises(ValueError, match=message):
        load(write("t.csv", text), column)


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        (b"", None, r"t\.txt holds no words"),
        (b" 12 + 3 = 15\n", None, r"t\.txt holds no words"),
        (b"caf\xe9", None, r"not UTF-8 text \(byte 3 is 0xe9\)\. Save it as UTF-8"),
        (b"words", "x", r"read as text, without columns\. Leave column='x' out"),
    ],
)
def test_load_refuses_texts(write, content, column, message):
    """Assert that a file that gives no words is refused with a reason and a remedy."""
    with pytest.raises(ValueError, match=message):
        load(write("t.txt", content), column)


def test_load_refuses_what_is_no_file(tmp_path, write):
    """Assert that a missing file, a folder and a path through a file are told apart."""
    for path, message in [
        (tmp_path / "none.txt", "there is no file"),
        (tmp_path, "is a folder"),
        (write("f", "text") / "g", r"cannot be read \(Not a directory\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            load(path)


@pytest.mark.parametrize("text", ["Only one sentence.", "The cat sat. The dog ran."])
def test_features_need_sentences_that_differ(text):
    """Assert that a text too small or too even to fit is refused, not turned into a zero variance."""
    with pytest.raises(ValueError, match="sentence"):
        Corpus(text).features()
    with pytest.raises(ValueError, match="sentence lengths of text"):
        Corpus(text).log_lengths()


def test_column_is_one_row():
    """Assert that a matrix is refused where a column is meant."""
    with pytest.raises(ValueError, match=r"has shape \(2, 2\)"):
        Column([[1, 2], [3, 4]])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="value 1 of column is not finite"):
        Column([1, np.inf])


def test_import_is_light():
    """Assert that data and tables import nothing but each other, the standard library, attrs and NumPy."""
    trees = [ast.parse(inspect.getsource(module)) for module in (data, tables)]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in imports} - {tables.__name__}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"attrs", "numpy"}
