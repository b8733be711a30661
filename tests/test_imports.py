"""The packages are ours, depend in one direction, and nothing is committed that names a package index.

A guard that nobody has seen fail guards nothing, so each is run once on a planted violation.
"""

import ast
import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("theory", "numerics", "proofs")
# Written so that the pattern does not match this file.
INDEX = re.compile(r"py(?:pi)\.org|python(?:hosted)\.org|npm(?:js)\.org|:(?://)[^\s\"'<>]*/sim(?:ple)\b")
LOCKS = {"uv.lock", "pylock.toml"}


def lint(folder: Path) -> subprocess.CompletedProcess:
    """Check the contracts of pyproject.toml on the packages in `folder`."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path):
    """A copy of the three packages with their contracts."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def committed() -> list[Path]:
    """Files that git tracks or would add, or a skip where there is no checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("this is no git checkout, so there is no list of committed files")
    return [path for name in listing.stdout.splitlines() if (path := ROOT / name).is_file()]


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_come_from_this_repository(name):
    """Assert that an index package of the same name does not shadow ours."""
    found = importlib.import_module(name).__file__
    assert found is not None
    assert Path(found).resolve() == ROOT / name / "__init__.py"


def test_imports_point_one_way():
    """Assert that the tree keeps its contracts."""
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_unplanted_copy_passes(copy):
    """Assert that a plain copy keeps its contracts, so that only the plant can make it fail."""
    result = lint(copy)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line", "imported"),
    [
        ("theory/planted", "import jax", "jax"),
        ("theory/families/planted", "import numpy as np", "numpy"),
        ("theory/planted", "import numerics", "numerics"),
        ("numerics/planted", "import proofs", "proofs"),
        ("proofs/kernel/planted", "from theory import symbols", "theory"),
        ("proofs/kernel/planted", "import sympy", "sympy"),
        ("proofs/theorems/planted", "from numerics import data", "numerics"),
    ],
)
def test_planted_import_is_found(copy, module, line, imported):
    """Assert that a forbidden import fails the contracts, and that the report names both ends."""
    (copy / f"{module}.py").write_text(f"{line}\n")
    result = lint(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert re.search(rf"{module.replace('/', '.')} -> {imported}", result.stdout), result.stdout


def test_kernel_imports_only_the_standard_library():
    """Assert that the kernel, which judges everything else, trusts nothing but Python."""
    allowed = sys.stdlib_module_names | {"proofs"}
    for path in (ROOT / "proofs" / "kernel").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names.append(node.module or "")
            assert {name.split(".")[0] for name in names} <= allowed, path


def test_pattern_finds_an_index():
    """Assert that the pattern below sees what it is there to see."""
    assert INDEX.search("https" + "://mirror.example/sim" + "ple/numpy/")
    assert INDEX.search("py" + "pi.org")
    assert not INDEX.search("a simple model, see https" + "://doi.example/10.1038/x")


def test_no_committed_file_names_an_index():
    """Assert that no file records where packages were fetched from."""
    named = [path.name for path in committed() if INDEX.search(path.read_text("utf-8", errors="ignore"))]
    assert not named


def test_no_lock_or_executed_notebook_is_committed():
    """Assert that locks, which record index hosts, and notebook outputs stay out of the repository."""
    assert not [path.name for path in committed() if path.name in LOCKS or path.suffix == ".ipynb"]
