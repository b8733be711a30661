"""Observables written with matrices, read as polynomials in letters.

`Reader` takes SymPy's matrix expressions apart into words, products of matrices, columns and rows; a word in which
every column meets a row is a number, and its components are letters.
"""

from hashlib import sha256
from typing import Any

from attrs import frozen
from sympy import (
    Determinant,
    Expr,
    Identity,
    ImmutableMatrix,
    Indexed,
    Inverse,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    S,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.matexpr import MatrixElement

from theory.errors import NotClosed
from theory.invariants import DETERMINANTS, MU, MU0, PARAMETERS, SHIFT, SIGMA, SIGMA0, Letter
from theory.networks import Atom, form, trace

Word = tuple[tuple[str, Atom], ...]
"""Factors of a matrix product: ("matrix", A), ("column", u) or ("row", u)."""


@frozen
class Reader:
    """Reads observables of one source: ``centred`` says that its mean is 0."""

    centred: bool = False

    def __call__(self, observable: Expr) -> Expr:
        """Return the observable in letters, or raise `NotClosed`."""
        # A dimension that was put in makes other symbols of the same names.
        parameters = {x: PARAMETERS[x.name] for x in observable.atoms(MatrixSymbol) if x.name in PARAMETERS}
        observable = observable.xreplace(parameters)
        found = observable.atoms(Trace, Determinant, MatrixElement, Indexed)
        return observable.xreplace({part: self._scalar(part) for part in found})

    def _scalar(self, part: Any) -> Expr:
        if isinstance(part, Trace):
            return sum((scale * self._trace(word) for word, scale in self._words(part.arg).items()), S.Zero)
        if isinstance(part, Determinant):
            return self._determinant(part.arg)
        if isinstance(part, Indexed):
            return self._entry(part)
        return self._element(*part.args)

    def _determinant(self, matrix: Any) -> Expr:
        known = dict(zip((SIGMA, SIGMA0), DETERMINANTS, strict=True))
        if matrix not in known:
            raise NotClosed(f"observable: det({matrix}) is not read. Ask for powers of Determinant(Sigma).")
        return Letter(known[matrix])

    def _entry(self, part: Any) -> Expr:
        """Return Sigma[i, j] or mu[i], written as entries of an indexed base as a recorded run has them."""
        matrix = PARAMETERS.get(part.base.name)
        if matrix is None:
            return part
        return self._element(matrix, *part.indices, *((S.Zero,) if len(part.indices) == 1 else ()))

    def _element(self, matrix: Any, row: Expr, column: Expr) -> Expr:
        e = [Atom(str(k) if str(k).isalnum() else _digest(str(k)), "unit", k) for k in (row, column)]
        total = S.Zero
        for word, scale in self._words(matrix).items():
            inner = (("row", e[0]), *word) + ((("column", e[1]),) if not word or word[-1][0] != "column" else ())
            total += scale * self._trace(inner)
        return total

    def _trace(self, word: Word) -> Expr:
        """Return the product of components that a cyclic word is: every column meets a row."""
        kinds = [kind for kind, _ in word]
        if kinds.count("row") != kinds.count("column"):
            raise ValueError(f"{[atom.name for _, atom in word]} is no scalar. Close every vector with another.")
        at = next((k for k, kind in enumerate(kinds) if kind == "row"), None)
        if at is None:
            return Letter(trace([atom for _, atom in word]))
        product, current, inner = S.One, None, []
        for kind, atom in word[at:] + word[:at]:
            if kind == "row":
                current, inner = atom, []
            elif kind == "column":
                product *= Letter(form(current, inner, atom))  # type: ignore[arg-type]
            else:
                inner.append(atom)
        return product

    def _words(self, expr: Any) -> dict[Word, Expr]:
        """Return a matrix expression as a combination of words."""
        if isinstance(expr, MatAdd):
            return _added(self._words(arg) for arg in expr.args)
        if isinstance(expr, MatMul):
            scale, factors = expr.as_coeff_matrices()
            return {w: scale * s for w, s in self._product([self._words(x) for x in factors]).items()}
        if isinstance(expr, Inverse):
            return self._inverse(expr.arg)
        if isinstance(expr, MatPow):
            root = self._words(expr.base) if expr.exp > 0 else self._inverse(expr.base)
            return self._product([root] * abs(int(expr.exp)))
        if isinstance(expr, Transpose):
            return {tuple(_turned(x) for x in word[::-1]): s for word, s in self._words(expr.arg).items()}
        return self._single(expr)

    def _product(self, factors: list[dict[Word, Expr]]) -> dict[Word, Expr]:
        total: dict[Word, Expr] = {(): S.One}
        for factor in factors:
            total = _added({w1 + w2: s1 * s2} for w1, s1 in total.items() for w2, s2 in factor.items())
        return total

    def _inverse(self, matrix: Any) -> dict[Word, Expr]:
        if isinstance(matrix, ImmutableMatrix):
            return self._single(matrix.inv())
        if not isinstance(matrix, MatrixSymbol):
            raise NotClosed(f"observable: the inverse of {matrix} is not read. Ask for the inverse of one matrix.")
        return {(("matrix", _atom(matrix).inverse),): S.One}

    def _single(self, expr: Any) -> dict[Word, Expr]:
        if isinstance(expr, Identity):
            return {(): S.One}
        if isinstance(expr, ZeroMatrix):
            return {}
        if expr == MU:
            return _added(({(("column", SHIFT),): S.One}, self._single(MU0)))
        if expr == MU0 and self.centred:
            return {}
        if isinstance(expr, MatrixSymbol):
            return {(("column" if expr.cols == 1 else "matrix", _atom(expr)),): S.One}
        if isinstance(expr, ImmutableMatrix):
            return self._explicit(expr)
        raise NotClosed(f"observable: {expr} is no product of matrices and vectors. Ask simulate(loop).")

    def _explicit(self, matrix: ImmutableMatrix) -> dict[Word, Expr]:
        if matrix.is_zero_matrix:
            return {}
        if matrix.shape == (1, 1):
            return {(): matrix[0, 0]}
        if matrix.cols == 1:
            return {(("column", _atom(matrix)),): S.One}
        if matrix.rows == 1:
            return {(("row", _atom(matrix.T)),): S.One}
        if not matrix.is_symmetric():
            raise NotClosed(f"observable: {matrix.tolist()} is not symmetric. Write it as a sum of symmetric matrices.")
        return self._dyad(matrix) if matrix.rank() == 1 else {(("matrix", _atom(matrix)),): S.One}

    def _dyad(self, matrix: ImmutableMatrix) -> dict[Word, Expr]:
        """Return u u'/u_k for a symmetric matrix of rank one: a quadratic form is one letter."""
        k = next(k for k in range(matrix.rows) if matrix[k, k] != 0)
        u = _atom(ImmutableMatrix(matrix[:, k]))
        return {(("column", u), ("row", u)): 1 / matrix[k, k]}


def _turned(factor: tuple[str, Atom]) -> tuple[str, Atom]:
    kind, atom = factor
    return {"row": "column", "column": "row"}.get(kind, kind), atom


def _added(many: Any) -> dict[Word, Expr]:
    total: dict[Word, Expr] = {}
    for words in many:
        for word, scale in words.items():
            total[word] = total.get(word, S.Zero) + scale
    return total


def _atom(matrix: Any) -> Atom:
    if not isinstance(matrix, MatrixSymbol):
        return Atom(_digest(str(matrix.tolist())), value=matrix)
    name = str(matrix.name)
    reserved = name in _RESERVED or name.startswith(("W_", "eps_"))
    if reserved or not name.isidentifier() or name != name.strip("_"):
        raise ValueError(f"the matrix name {name!r} is not free or no plain name. Call it A or B, say.")
    return Atom(name, value=matrix)


_RESERVED = {"delta", "det", "inv", "tr", "unit"}


def _digest(text: str) -> str:
    return f"m{sha256(text.encode()).hexdigest()[:8]}"
