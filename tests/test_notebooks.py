"""Notebooks: each runs as a script, small; one through Jupyter, with its formulas and images."""

import os
import runpy
from pathlib import Path

import jupytext
import matplotlib as mpl
import nbclient
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setenv("NOTEBOOK_CHAINS", "5000")
    with mpl.rc_context({"backend": "agg"}):
        yield


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_as_a_script(path):
    """Assert that every cell runs, and that its verdicts agree."""
    names = runpy.run_path(str(path))
    verdicts = [value for value in names.values() if hasattr(value, "verdict") and hasattr(value, "smallest")]
    assert verdicts
    assert all(value.verdict in ("agree", "underpowered") for value in verdicts)


def test_a_notebook_shows_formulas_and_figures():
    """Assert that executed cells hold LaTeX and an image."""
    notebook = jupytext.read(FOLDER / "how_fast_does_a_gaussian_forget.py")
    environment = os.environ | {"JUPYTER_PLATFORM_DIRS": "1"}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute(env=environment)
    data = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert sum("text/latex" in shown for shown in data) >= 3
    assert any("image/png" in shown for shown in data)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_short(path):
    """Assert that a notebook has at most fifteen cells, and that its title asks a question."""
    cells = jupytext.read(path).cells
    assert len(cells) <= 15
    assert cells[0].source.splitlines()[0].endswith("?")
