"""The report says what the table says: on the page, in JSON, on the terminal.

What a page must not do is asked of the text itself: no network, no script, no markup from data.
"""

import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from numerics.reports import report
from numerics.reports.report import Row, summary, to_json, to_text, write_html

M, n = sympy.symbols("M n", integer=True, positive=True)
V0 = sympy.Symbol("V0", positive=True)
SVG = (
    '<?xml version="1.0"?><svg><!-- href="//x" --><text>one = 1</text>'
    '<path id="a"/><use href="#a" clip-path="url(#a)"/></svg>'
)


def row(**changes):
    """A row that agrees, with changes."""
    fields = {
        "claim": "Mean fitted variance",
        "observable": sympy.Symbol("V"),
        "formula": V0 * ((M - 1) / M) ** n,
        "generation": 50,
        "theory": 0.605006,
        "simulation": 0.605021,
        "error": 3.1e-4,
        "smallest": 0.001,
        "verdict": "agree",
        "certificate": "proved",
        "source": "statistical",
    }
    return Row(**(fields | changes))


NOTHING = row(claim="A <mixture>", formula=None, theory=math.nan, smallest=math.nan, verdict="no closed form")
WRONG = row(verdict="disagree", certificate="rejected: base case", note="Planted & caught.")
TABLE = [row(), NOTHING, WRONG]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verdict": "maybe"}, "verdict 'maybe' is not known. Say one of: agree, disagree"),
        ({"source": "luck"}, "source 'luck' is not known. Say one of: statistical"),
        ({"certificate": "rejected"}, "certificate 'rejected' is not known. Say one of: proved"),
        ({"error": -1}, "error is -1.0, below zero. Give 0 or more"),
        ({"generation": -1}, "generation is -1, below zero"),
    ],
)
def test_rows_are_checked(changes, message):
    """Assert that a word or a size that means nothing is refused with what would."""
    with pytest.raises(ValueError, match=re.escape(message)):
        row(**changes)


def test_summary_counts_verdicts():
    """Assert that the sentence counts every verdict, in the singular and the plural."""
    assert summary(TABLE) == "1 of 3 claims agrees with simulation; 1 disagrees; 1 has no closed form."
    assert summary([row()] * 2) == "2 of 2 claims agree with simulation."
    assert summary([WRONG] * 2).endswith("; 2 disagree.")


@given(st.floats(-1e250, 1e250), st.floats(1e-250, 1e250))
def test_estimates_read_back(value, error):
    """Assert that a printed estimate is within a tenth of its standard error, and the error within 6 %."""
    assume(error > 1e-11 * abs(value))
    plain = str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")
    text = report._estimate(value, error).translate(plain)
    numbers, _, power = text.strip("(").replace(")", "").partition("×10")
    shown = [float(f"{part}e{power or 0}") for part in numbers.split(" ± ")]
    assert abs(shown[0] - value) <= 0.1 * error
    assert shown[1] == pytest.approx(error, rel=0.06)


def test_json_is_plain_and_stable():
    """Assert sorted keys, null for NaN and infinity, and NumPy's numbers as numbers."""
    provenance = {"z": np.float32(0.5), "a": np.arange(2), "path": Path("x"), "bad": {1: [np.inf, (np.nan,)]}}
    text = to_json([*TABLE, row(smallest=math.inf)], provenance)
    content = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert content["provenance"] == {"z": 0.5, "a": [0, 1], "path": "x", "bad": {"1": [None, [None]]}}
    assert content["rows"][0]["formula"] == "V0*((M - 1)/M)**n"
    assert content["rows"][1]["theory"] is None
    assert content["rows"][3]["smallest"] is None
    assert text == to_json([*TABLE, row(smallest=math.inf)], dict(reversed(provenance.items())))


@given(st.integers(40, 200))
def test_text_fits_its_width(width):
    """Assert that no line is too wide, and that claims and verdicts are there whatever is left out."""
    long = row(claim="A claim " * 30, formula=sum(V0**i for i in range(60)), note="word " * 60)
    text = to_text([*TABLE, long], width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("✓") == 2
    assert "✗ Mean fitted variance" in text
    assert "…" in text


def test_text_lines_up():
    """Assert that numbers end and words begin under their heads."""
    head, _, _, numbers, *_ = to_text(TABLE).splitlines()
    assert numbers[: head.index("simulation") + len("simulation")].endswith("0.60502 ± 0.00031")
    assert numbers[head.index("verdict") :].startswith("agree")
    with pytest.raises(ValueError, match=r"width 39 is too narrow for a table\. Give 40"):
        to_text(TABLE, 39)


def test_page_is_self_contained(tmp_path):
    """Assert that the page shows every row, asks the network for nothing and treats text as text."""
    path = write_html(
        TABLE, {"A <caption>": SVG, "Again": SVG}, tmp_path / "new" / "r.html", {"seed": 0, "x": math.nan}
    )
    page = path.read_text(encoding="utf-8")
    assert not re.search(r"https?:|<script|@import|(src|href)=\"(?!#|data:)", page)
    assert "A &lt;mixture&gt;" in page
    assert "A &lt;caption&gt;" in page
    assert "Planted &amp; caught." in page
    assert page.count("<tr>") == len(TABLE) + 1
    assert "✗ disagree" in page
    assert '<p class="verdict disagree">1 of 3 claims' in page
    assert page.count('id="f1-a"') == page.count('id="f2-a"') == page.count("url(#f2-a)") == 1
    assert "<?xml" not in page
    assert [file.name for file in path.parent.iterdir()] == ["r.html"]


def test_page_breaks_equations_between_terms():
    """Assert that each term of a sum is an element of its own, behind its sign."""
    equation = report._equation(row(formula=M - n - 1))
    assert equation.count("<math") == 4
    assert re.sub("<[^>]+>", "", equation) == "E[V]=M−n−1"


@pytest.mark.parametrize(
    ("svg", "message"),
    [
        ("<png>", r"figure 'c' is no SVG\. Save it with format='svg'"),
        ('<svg><image href="//x/y.png"/></svg>', r"figure 'c' refers outside the page \(href="),
        ("<svg><script>1</script></svg>", r"refers outside the page \(<script\)"),
        ('<svg><g onload="go()"/></svg>', r"refers outside the page \(<g onload="),
    ],
)
def test_page_refuses_figures(tmp_path, svg, message):
    """Assert that a figure that is none, or would ask the network, is refused and nothing is written."""
    with pytest.raises(ValueError, match=message):
        write_html(TABLE, {"c": svg}, tmp_path / "r.html", {})
    assert not list(tmp_path.iterdir())


def test_page_is_written_whole_or_not(tmp_path, monkeypatch):
    """Assert that a failure keeps the old page, leaves nothing behind and is told in one sentence."""
    target = tmp_path / "r.html"
    target.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ValueError, match=r"cannot be written \(No space left on device\)\. Make room"):
        write_html(TABLE, {}, target, {})
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
    with pytest.raises(ValueError, match="cannot be written"):
        write_html(TABLE, {}, target / "below" / "r.html", {})
