"""Observables of a Gaussian model, written with its matrix, as polynomials in letters: tr(Sigma^2) is one letter.

Every `Letter` remembers the component that it is and the expression to print. A letter of the source alone is a
constant.
"""

from typing import Any

from sympy import (
    Determinant,
    Expr,
    ImmutableMatrix,
    Inverse,
    MatMul,
    MatrixSymbol,
    Symbol,
    Trace,
)
from sympy.matrices.expressions.matexpr import MatrixElement

from theory import symbols
from theory.networks import Atom, Component

SIGMA = MatrixSymbol("Sigma", symbols.d, symbols.d)
"""The fitted covariance matrix."""
MU = MatrixSymbol("mu", symbols.d, 1)
"""The fitted mean, a column."""
SIGMA0 = MatrixSymbol("Sigma0", symbols.d, symbols.d)
"""The covariance matrix of the source."""
MU0 = MatrixSymbol("mu0", symbols.d, 1)
"""The mean of the source."""

PARAMETERS = {x.name: x for x in (SIGMA, MU, SIGMA0, MU0)}
"""The four by name."""

MODEL, SOURCE = Atom("Sigma", value=SIGMA), Atom("Sigma0", value=SIGMA0)
SHIFT = Atom("delta", value=MU - MU0)
"""mu - mu0, the only way in which the mean enters."""
CENTRE = Atom("mu0", value=MU0)
DETERMINANTS = (Component((Atom("det"), MODEL)), Component((Atom("det"), SOURCE)))
"""det(Sigma) and det(Sigma0); no network, but letters like the others."""


class Letter(Symbol):
    """The symbol of a component, named so that a checker can read it; ``expr`` is what it stands for."""

    component: Component

    def __new__(cls, component: Component) -> "Letter":
        """Make the letter of a component."""
        self = Symbol.__new__(cls, _name(component), real=True, positive=_positive(component))
        self.component = component
        return self

    @property
    def of_model(self) -> bool:
        """Whether it changes from fit to fit."""
        return any(atom in (MODEL, MODEL.inverse, SHIFT) for atom in self.component.atoms)

    @property
    def degree(self) -> int:
        """The power of Sigma."""
        word = self.component.word
        return word.count(MODEL) - word.count(MODEL.inverse)

    @property
    def expr(self) -> Expr:
        """The component as a matrix expression."""
        if self.component in DETERMINANTS:
            return Determinant(self.component.word[1].value)
        matrices = [_matrix(atom) for atom in self.component.word]
        if not self.component.ends:
            return Trace(MatMul(*matrices).doit())
        left, right = self.component.ends
        if left.role == right.role == "unit" and len(matrices) == 1:
            return MatrixElement(matrices[0], left.value, right.value)
        unit, other = (left, right) if left.role == "unit" else (right, left)
        if unit.role == "unit" and not matrices:
            return other.value[unit.value, 0]
        if left == right and isinstance(left.value, ImmutableMatrix):
            return Trace(MatMul(left.value * left.value.T, *matrices).doit())
        return Trace(MatMul(_column(left).T, *matrices, _column(right)).doit())


def letters_in(expr: Expr) -> set[Letter]:
    """Return the letters of an expression."""
    return {x for x in expr.free_symbols if isinstance(x, Letter)}


class Array(Symbol):
    """A symbol that stands for the matrix or vector of an atom."""

    atom: Atom

    def __new__(cls, atom: Atom) -> "Array":
        """Make the symbol of an atom."""
        self = Symbol.__new__(cls, atom.name)
        self.atom = atom
        return self


def written(expr: Expr) -> Expr:
    """Return an expression with every letter replaced by what it stands for."""
    return expr.xreplace({x: x.expr for x in letters_in(expr)})


def _name(component: Component) -> str:
    if component in DETERMINANTS:
        return f"det_{component.word[1].name}"
    left, right = ((atom,) for atom in component.ends) if component.ends else ((), ())
    return "_".join([*([] if left else ["tr"]), *(_part(atom) for atom in (*left, *component.word, *right))])


def _part(atom: Atom) -> str:
    """Return an atom's part of a name: underscores are doubled, so that two names never meet."""
    role = {"inverse": "inv_", "unit": "unit_"}.get(atom.role, "")
    return role + atom.name.replace("_", "__")


def _positive(component: Component) -> bool | None:
    """Return True for the determinant, traces of powers, tr(A B) and u'A u of positive definite A and B, else None."""
    word, definite = component.word, {MODEL, MODEL.inverse, SOURCE, SOURCE.inverse}
    if component in DETERMINANTS:
        return True
    if not definite.issuperset(word):
        return None
    if component.ends:
        return True if len(word) == 1 and component.ends[0] == component.ends[1] != SHIFT else None
    return True if len(word) <= 2 or len(set(word)) == 1 else None


def _matrix(atom: Atom) -> Any:
    return Inverse(atom.value) if atom.role else atom.value


def _column(atom: Atom) -> Any:
    return MatrixSymbol(f"e{atom.value}", symbols.d, 1) if atom.role == "unit" else atom.value
