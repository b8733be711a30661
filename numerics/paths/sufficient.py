"""The path of sufficient statistics: of one matrix for the multivariate Gaussian, of numbers for every other family."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from numerics.chains import Program
from numerics.paths import matrix_path, statistic_path
from numerics.paths.statistic_path import PLAIN
from numerics.precision import Precision
from theory.families import MultivariateGaussian
from theory.loop import Loop


def why_not(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why the loop has no statistics to draw, or None where it has."""
    return _of(loop).why_not(loop, shape)


def prepared(loop: Loop, generations: int) -> tuple[Loop, dict[str, Any]]:
    """Return the loop that is compiled, with symbols in place of numbers, and the numbers."""
    return _of(loop).prepared(loop, generations)


def program(loop: Loop, shape: tuple[int, ...], generations: int, precision: Precision = PLAIN) -> Program:
    """Return the chain of a `prepared` loop."""
    return _of(loop).program(loop, shape, generations, precision)


def tables(
    loop: Loop, shape: tuple[int, ...], generations: int, precision: Precision, numbers: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what laws are drawn by, beside the loop's numbers."""
    return _of(loop).tables(loop, shape, generations, precision, numbers)


def why_not_single(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why a `prepared` loop is not drawn in float32, None where it is."""
    return _of(loop).why_not_single(loop, shape)


def size(loop: Loop, shape: tuple[int, ...], generations: int) -> int:
    """Return how many numbers a chain carries."""
    return _of(loop).size(loop, shape, generations)


def _of(loop: Loop) -> ModuleType:
    return matrix_path if isinstance(loop.family, MultivariateGaussian) else statistic_path
