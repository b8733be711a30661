"""A multivariate source: its exact arrays, and the numbers that they give to traces, forms and determinants.

Where the arrays are given a component of the source is a number, where they are left in symbols it is a letter.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from attrs import frozen
from sympy import Expr, ImmutableMatrix, S, zeros

from theory.exact import exact, sequence
from theory.invariants import CENTRE, DETERMINANTS, MODEL, SHIFT, SOURCE, Letter
from theory.networks import Atom, Component, form, trace


def means(values: Iterable[object] | None) -> tuple[Expr, ...] | None:
    """Return exact means, or None for those that stay in symbols."""
    return None if values is None else sequence(values, "mean")


def covariance_matrix(rows: object) -> ImmutableMatrix | None:
    """Return a covariance matrix, or None for one that stays in symbols."""
    if rows is None:
        return None
    matrix = ImmutableMatrix(rows).applyfunc(lambda value: exact(value, "covariance"))
    if not matrix.is_square or not matrix.is_symmetric():
        raise ValueError(
            f"the covariance {matrix.tolist()} is not a symmetric square matrix. Give a list of d rows of length d."
        )
    if matrix.is_positive_definite is False:
        raise ValueError(
            f"the covariance {matrix.tolist()} is not positive definite. "
            "Give variances > 0 and correlations inside (-1, 1)."
        )
    return matrix


def whole_dimension(value: object) -> Expr:
    """Return a number of coordinates."""
    size = exact(value, "dimension")
    if size.is_number and not (size.is_Integer and size > 0):
        raise ValueError(f"dimension = {size}: a point has a whole number of coordinates. Give an integer >= 1.")
    return size


@frozen
class Values:
    """The letter or the number of every component, for a source with this mean and covariance, or None in symbols."""

    mean: tuple[Expr, ...] | None
    covariance: ImmutableMatrix | None
    dimension: Expr

    def __call__(self, component: Component) -> Expr:
        """Return a component of the model as its letter, one of the source as its number where that is known."""
        if component in DETERMINANTS:
            known = component == DETERMINANTS[1] and self.covariance is not None
            return self._arrays[SOURCE].det() if known else Letter(component)
        if not component.word and not component.ends:
            return self.dimension
        matrices = [self._array(atom) for atom in component.word]
        ends = [self._array(atom) for atom in component.ends]
        if None in matrices or None in ends:
            return Letter(component)
        if not ends:
            return _product(matrices).trace()
        return (ends[0].T * _product([*matrices, ends[1]]))[0, 0]

    def at_source(self, component: Component) -> Expr:
        """Return the value of a component when the model is the source, where mu - mu0 is 0."""
        if component in DETERMINANTS:
            return self(DETERMINANTS[1])
        if SHIFT in component.ends:
            return S.Zero
        swapped = tuple({MODEL: SOURCE, MODEL.inverse: SOURCE.inverse}.get(atom, atom) for atom in component.word)
        return self(form(component.ends[0], swapped, component.ends[1]) if component.ends else trace(swapped))

    def _array(self, atom: Atom) -> Any:
        """Return the matrix or column of an atom, None where it is not known."""
        if atom in self._arrays:
            return self._arrays[atom]
        if atom.role == "unit" and self.mean is not None and atom.value.is_Integer:
            return self._unit(int(atom.value))
        return atom.value if isinstance(atom.value, ImmutableMatrix) else None

    def _unit(self, index: int) -> Any:
        if not 0 <= index < int(self.dimension):
            raise ValueError(f"coordinate {index} does not exist: there are {self.dimension}. Count from 0.")
        column = zeros(int(self.dimension), 1)
        column[index] = 1
        return column.as_immutable()

    @cached_property
    def _arrays(self) -> dict[Atom, Any]:
        """The source's arrays, where they are given."""
        if self.mean is None or self.covariance is None:
            return {}
        inverse: Any = self.covariance.inv()
        return {SOURCE: self.covariance, SOURCE.inverse: inverse, CENTRE: ImmutableMatrix(self.mean)}


def _product(matrices: Sequence[Any]) -> Any:
    product = matrices[0]
    for matrix in matrices[1:]:
        product = product * matrix
    return product
