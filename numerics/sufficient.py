"""The path of sufficient statistics: of one matrix for the multivariate Gaussian, of numbers for every other family."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from numerics import matrix_path, statistic_path
from numerics.chains import Program
from numerics.precision import Precision
from numerics.statistic_path import PLAIN
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
    if isinstance(loop.family, MultivariateGaussian):
        return matrix_path.program(loop, shape, generations)
    return statistic_path.program(loop, shape, generations, precision)


def tables(
    loop: Loop, shape: tuple[int, ...], generations: int, precision: Precision, numbers: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what laws are drawn by, beside the loop's numbers."""
    if isinstance(loop.family, MultivariateGaussian):
        return {}
    return statistic_path.tables(loop, shape, generations, precision, numbers)


def why_not_single(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why a `prepared` loop is not drawn in float32, None where it is."""
    if isinstance(loop.family, MultivariateGaussian):
        return "matrices are multiplied in float64"
    return statistic_path.why_not_single(loop, shape)


def size(loop: Loop, shape: tuple[int, ...], generations: int) -> int:
    """Return how many numbers a chain carries."""
    return _of(loop).size(loop, shape, generations)


def _of(loop: Loop) -> ModuleType:
    return matrix_path if isinstance(loop.family, MultivariateGaussian) else statistic_path
