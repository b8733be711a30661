"""One fit of a multivariate Gaussian, in arrays: its draws, and the polynomials in them that the next state is.

Everything that is drawn from one covariance is kept relative to the root of it, so that a fit made of such parts alone
multiplies this root by a triangle: it loses nothing however small the covariance, or however flat. Where parts of
several covariances meet they are added up as matrices.
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from attrs import field, frozen
from jax import Array

from numerics.chains import State
from numerics.paths.matrix_step import COUNT, SIGMA, Combination, Posterior, Vector, combination, is_vector, vector
from numerics.paths.roots import Lower, Root, Roots
from numerics.paths.spaces import Blocks, added
from numerics.printer import to_jax
from numerics.samplers import slot_key
from numerics.samplers.cipher import Key
from theory.innovations import Law
from theory.invariants import MODEL, SOURCE
from theory.networks import IDENTITY, Atom
from theory.step import Step
from theory.wishart import Draw

CENTRE, SOURCE_ROOT = "mu0", "source"
"""Names in a state of what does not change."""


def fitted(
    refit: Step, space: Roots, values: Mapping[Any, Any], tables: Mapping[int, Any], key: Key, state: State
) -> State:
    """Return the next state.

    Args:
        refit: the step, in matrices.
        space: arithmetic.
        values: the numbers by symbol: n, and those of the loop.
        tables: the quantiles of the law of a slot, where they are known.
        key: of this generation, of several chains.
        state: the state before.
    """
    fit = _Fit(space, dict(values), state)
    for slot, law in enumerate(refit.laws):
        fit.drawn(law, slot_key(key, slot), tables.get(slot))
    changed: dict[str, Any] = {}
    for letter, value in refit.update.items():
        if letter == SIGMA:
            changed[letter.name] = fit.root(combination(value))
        else:
            changed[letter.name] = fit.column(vector(value)) if is_vector(letter) else fit.matrix(combination(value))
    return {**state, **changed}


Relative = tuple[Atom, Any]
"""A triangle, or a vector, to be multiplied by the root of the model's or of the source's covariance."""


@frozen(eq=False)
class _Fit:
    """A fit under way.

    Args:
        space: arithmetic.
        values: numbers by symbol.
        state: the state before.
        triangles: Wishart matrices, relative to what they were drawn from.
        deviates: errors of means, likewise.
        posterior: covariances drawn from a posterior, and the errors of their means.
    """

    space: Roots
    values: dict[Any, Any]
    state: State
    triangles: dict[Atom, tuple[Atom, Lower]] = field(factory=dict)
    deviates: dict[Atom, tuple[Atom, Array]] = field(factory=dict)
    roots: dict[Atom, Root] = field(factory=dict)
    columns: dict[Atom, Array] = field(factory=dict)

    def number(self, expr: Any) -> Any:
        """Return the value of an expression, of each chain or of all."""
        return to_jax(expr, list(self.values))(*self.values.values())

    def base(self, atom: Atom) -> Root:
        """Return the root of the model's or of the source's covariance."""
        return self.state[SIGMA.name if atom == MODEL else SOURCE_ROOT]

    # Draws -----------------------------------------------------------------------------------------------------------

    def drawn(self, law: Law, key: Key, table: Any) -> None:
        """Draw from a law."""
        if isinstance(law, Draw):
            self._sample(law, key, table)
        elif isinstance(law, Posterior):
            self._posterior(law, key, table)
        else:
            self._count(law, key)

    def _sample(self, law: Draw, key: Key, table: Any) -> None:
        """Draw eps = L z sqrt(scale/m) and W = scale L A A' L', of no points 0."""
        space, base = self.space, law.covariance
        size, scale = self.number(law.size), self.number(law.scale)
        wide = space.spread(jnp.sqrt(scale / jnp.maximum(size, 1)))
        lower = space.bartlett(slot_key(key, 1), self.number(law.df), table=table)
        self.deviates[law.eps.atom] = base, wide * space.deviates(slot_key(key, 0))
        self.triangles[law.scatter.atom] = base, lower if law.scale == 1 else space.enlarged(lower, scale)

    def _posterior(self, law: Posterior, key: Key, table: Any) -> None:
        space, size = self.space, self.number(law.size)
        lower = space.bartlett(slot_key(key, 1), size - 1, backwards=True, table=table)
        root = space.shrunk(self.root(combination(law.scatter)), lower)
        self.roots[law.covariance.atom] = root
        self.columns[law.eps.atom] = space.times(root, space.deviates(slot_key(key, 0)) / jnp.sqrt(size))

    def _count(self, law: Any, key: Key) -> None:
        """Draw how many points of a mixture are real."""
        trials, chance = (self.number(x) for x in (law.trials, law.probabilities[0]))
        self.values[COUNT] = self.space.counts(key, trials, chance)

    # What is made of them --------------------------------------------------------------------------------------------

    def column(self, of: Vector) -> Array:
        """Return a combination of vectors."""
        return added([self.space.spread(self.number(weight)) * self._column(atom) for atom, weight in of.items()])

    def _column(self, atom: Atom) -> Array:
        if atom in self.deviates:
            base, z = self.deviates[atom]
            return self.space.times(self.base(base), z)
        return self.columns[atom] if atom in self.columns else self.state[atom.name]

    def root(self, of: Combination) -> Root:
        """Return the root of a combination."""
        if len(of.matrices) == 1 and not of.squares:
            return self._multiple(*next(iter(of.matrices.items())))
        bases = {self._base(atom) for atom in of.matrices} | {self._base(u) for _, v in of.squares for u in v}
        base = bases.pop() if len(bases) == 1 else None
        if base is not None:
            return self.space.grown(self.base(base), self.space.factored(self._relative(of)))
        return self.space.standing(self.space.factored(self.matrix(of)))

    def _base(self, atom: Atom) -> Atom | None:
        """Return what a matrix or vector is relative to, None where it stands alone."""
        if atom in (MODEL, SOURCE):
            return atom
        return (self.triangles | self.deviates).get(atom, (None,))[0]

    def _multiple(self, atom: Atom, weight: Any) -> Root:
        """Return the root of a multiple of one matrix."""
        space, number = self.space, self.number(weight)
        if atom in self.triangles:
            base, lower = self.triangles[atom]
            return space.grown(self.base(base), space.enlarged(lower, number))
        if atom in (MODEL, SOURCE) or atom in self.roots:
            return space.scaled(self.roots.get(atom) or self.base(atom), number)
        return space.standing(space.factored(self.matrix(Combination({atom: weight}, ()))))

    def _relative(self, of: Combination) -> Blocks:
        """Return a combination relative to the one root that all of it is drawn from."""
        space = self.space
        terms = [space.weighted(self.number(w), self._inner(atom)) for atom, w in of.matrices.items()]
        for weight, v in of.squares:
            z = added([space.spread(self.number(w)) * self.deviates[u][1] for u, w in v.items()])
            terms.append(space.weighted(self.number(weight), space.square(z)))
        return _total(terms)

    def _inner(self, atom: Atom) -> Blocks:
        """Return A A' of a Wishart matrix L A A' L', 1 of L L' itself."""
        if atom in (MODEL, SOURCE):
            return self.space.identity(self.base(atom).logs.dtype)
        return self.space.gram(self.space.entries(self.triangles[atom][1]))

    def matrix(self, of: Combination) -> Blocks:
        """Return a combination."""
        space = self.space
        terms = [space.weighted(self.number(w), self._matrix(atom)) for atom, w in of.matrices.items()]
        squares = ((self.number(weight), space.square(self.column(v))) for weight, v in of.squares)
        return _total([*terms, *(space.weighted(weight, square) for weight, square in squares)])

    def _matrix(self, atom: Atom) -> Blocks:
        space = self.space
        if atom == IDENTITY:
            return space.identity(self.base(MODEL).logs.dtype)
        if atom in self.triangles:
            base, lower = self.triangles[atom]
            return space.gram(space.multiplied(space.triangle(self.base(base)), space.entries(lower)))
        if atom in (MODEL, SOURCE) or atom in self.roots:
            return space.gram(space.triangle(self.roots.get(atom) or self.base(atom)))
        return self.state[atom.name]


def _total(terms: list[Blocks]) -> Blocks:
    return Blocks(*map(added, zip(*terms, strict=True)))
