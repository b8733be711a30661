"""The letters in which the theory's formulas of a family are written, and their values in a simulated model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
from attrs import frozen
from jax import Array
from sympy import Expr, Poly, Symbol

from numerics import scalars
from numerics.kits.kit import Model
from numerics.printer import to_jax
from theory.errors import NotClosed
from theory.families import (
    Bernoulli,
    Categorical,
    DiagonalGaussian,
    FixedDesignRegression,
    Gaussian,
    LinearRegression,
    MultivariateGaussian,
    NGram,
    OneParameter,
    ProductCategorical,
    ProjectedGaussian,
)
from theory.families.base import Parameters
from theory.loop import Loop

Evaluated = Callable[[Sequence[Model], Mapping[str, Any]], Model]
"""(models by label, numbers by name) -> model."""


@frozen(eq=False)
class Language:
    """The formulas of one family.

    Args:
        family: the family of the theory whose formulas hold, entry by entry or in space.
        state: its letters.
        names: the name of each in a model.
        in_space: whether the letters are a vector and a matrix, squares of vectors standing for dyads.
    """

    family: Any
    state: tuple[Expr, ...]
    names: tuple[str, ...]
    in_space: bool = False

    def letters(self, label: str) -> Parameters:
        """Return the letters of one model, a fit or the last or the source.

        >>> from theory import Loop
        >>> language(Loop(Gaussian())).letters("last")
        {mu: mu_last, V: V_last}
        """
        return {x: Symbol(f"{x}_{label}", real=True) for x in self.state}

    def own(self, model: Model) -> Model:
        """Return what of a model has letters."""
        return {name: jnp.asarray(model[name], dtype=float) for name in self.names}

    def compiled(self, update: Parameters, labels: Sequence[str], numbers: Sequence[Symbol]) -> Evaluated:
        """Return an update of the letters as a function of models and numbers."""
        letters = [x for label in labels for x in self.letters(label).values()]
        write = _in_space if self.in_space else to_jax
        functions = [write(update[x], [*letters, *numbers]) for x in self.state]

        def evaluated(models: Sequence[Model], values: Mapping[str, Any]) -> Model:
            arrays = [model[name] for model in models for name in self.names]
            arrays += [values[str(x)] for x in numbers]
            return {name: f(*arrays) for name, f in zip(self.names, functions, strict=True)}

        return evaluated


def language(loop: Loop) -> Language:
    """Return the language of the loop's family."""
    family = loop.family
    if isinstance(family, OneParameter):
        return Language(scalars.bare(family), (family.parameter,), (str(family.parameter),))
    kind = MultivariateGaussian if isinstance(family, ProjectedGaussian) else type(family)
    return _LANGUAGES[kind]


def _in_space(expr: Expr, arguments: Sequence[Symbol]) -> Callable[..., Array]:
    """Return a polynomial in vectors mu and matrices V: two vectors are a dyad, and a number by itself is one of I.

    An expression of vectors alone, of degree 1, is a vector.
    """
    arrays = [x for x in arguments if str(x).startswith(("mu_", "V_"))]
    if not expr.is_polynomial(*arrays):
        raise NotClosed("estimator: a step on the logarithm of a variance is none on a matrix. Ask for on='V'.")
    terms = Poly(expr, *arrays).terms()
    factors = [[x for x, power in zip(arrays, powers, strict=True) for _ in range(power)] for powers, _ in terms]
    weights = to_jax([weight for _, weight in terms], [x for x in arguments if x not in arrays])

    def evaluated(*values: Any) -> Array:
        scope = dict(zip(arguments, values, strict=True))
        numbers = weights(*(scope[x] for x in arguments if x not in arrays))
        d = max(jnp.shape(scope[x])[-1] for x in arrays)
        pieces = [w * _piece([scope[x] for x in found], d) for w, found in zip(numbers, factors, strict=True)]
        return sum(pieces, jnp.zeros(()))

    return evaluated


def _piece(factors: Sequence[Array], d: int) -> Array:
    if len(factors) == 2:
        one, two = factors
        return (jnp.outer(one, two) + jnp.outer(two, one)) / 2
    return factors[0] if factors else jnp.eye(d)


_LINE = Gaussian()
_NORMAL = Language(_LINE, (Gaussian.mu, Gaussian.V), ("mu", "V"))
_LANGUAGES: Mapping[type, Language] = {
    Gaussian: _NORMAL,
    DiagonalGaussian: _NORMAL,
    MultivariateGaussian: Language(_LINE, (Gaussian.mu, Gaussian.V), ("mu", "Sigma"), in_space=True),
    Bernoulli: Language(Bernoulli(), (Bernoulli.p,), ("p",)),
    Categorical: Language(Categorical(), (Categorical.p[0],), ("p",)),
    ProductCategorical: Language(Categorical(), (Categorical.p[0],), ("p",)),
    # Along every direction of a design the least squares weight is a mean of the parts' weights.
    LinearRegression: Language(FixedDesignRegression([1]), (FixedDesignRegression.w[0],), ("weights",)),
    NGram: Language(NGram(), (), ()),
}
