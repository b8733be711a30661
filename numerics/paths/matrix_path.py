"""The loop of a multivariate Gaussian from its sufficient statistics: the step of `matrix_step`, compiled.

No data are drawn: a fit reads means and Wishart matrices, which are products of random triangles. What is carried is
mu - mu0 and a root of Sigma (see `roots`), and beside them the statistics that a regime remembers.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from attrs import evolve
from jax import Array
from sympy import S, Trace, cancel

from numerics.chains import Given, Program, State
from numerics.lifting import generalised, letters, lifted
from numerics.paths.matrix_fit import CENTRE, SOURCE_ROOT, fitted
from numerics.paths.matrix_step import COUNT, DELTA, SIGMA, Posterior, is_vector, matrix_steps
from numerics.paths.roots import Roots
from numerics.paths.spaces import SMALL, Blocks
from numerics.paths.statistic_path import PLAIN, with_sizes
from numerics.precision import Precision
from numerics.printer import to_jax
from numerics.samplers.cipher import Key
from numerics.samplers.wisharts import table
from theory import symbols
from theory.axes import substituted
from theory.errors import NotClosed
from theory.families import MultivariateGaussian
from theory.loop import Loop
from theory.regimes import Schedule
from theory.step import Step
from theory.wishart import Draw


def why_not(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return why this path is not exact for the loop, or None where it is."""
    if not isinstance(loop.family, MultivariateGaussian):
        return f"{type(loop.family).__name__} is no law of one matrix"
    try:
        first, _ = matrix_steps(loop)
    except NotClosed as refusal:
        return str(refusal).split(". ")[0]
    few = [law.size for law in first.laws if isinstance(law, Posterior) and law.size <= shape[0]]
    return f"samples: {few[0]} points have no posterior of a covariance in {shape[0]} dimensions" if few else None


def prepared(loop: Loop, generations: int) -> tuple[Loop, dict[str, Any]]:
    """Return the loop that is compiled, with symbols in place of numbers, and the numbers."""
    if isinstance(loop.regime, Schedule):
        loop.regime.size(S(generations))
    bare, numbers = generalised(evolve(loop, family=MultivariateGaussian(), source=None))
    compiled, others = lifted(bare, ("samples", "estimator", "regime", "sampling"))
    return compiled, numbers | others


def program(loop: Loop, shape: tuple[int, ...], generations: int, precision: Precision = PLAIN) -> Program:
    """Return the chain whose generation k is step k of a `prepared` loop; arguments as in `why_not`."""
    del generations
    fits = {label: _transition(label, refit, loop, shape[0], precision) for label, refit in _refits(loop).items()}
    return Program(
        start=lambda values: _start(loop, values, shape[0]),
        first=fits.get("first", fits["later"]),
        later=fits["later"],
        view=lambda state: _view(state, shape[0]),
        together=True,
        known={Trace(MultivariateGaussian.Sigma): "trace"},
    )


def tables(
    loop: Loop, shape: tuple[int, ...], generations: int, precision: Precision, numbers: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the quantiles that triangles of a `prepared` loop are drawn by, where sizes are known before the run."""
    given, made = letters(loop), {}
    for label, refit in _refits(loop).items():
        for slot, law in enumerate(refit.laws):
            if (df := _degrees(law)) is None or precision.exact:
                continue
            fits = np.arange(1.0, generations + 1) if symbols.n in df.free_symbols else 1.0
            with jax.enable_x64(True):
                known = to_jax(df, (symbols.n, *given))(fits, *(numbers[str(x)] for x in given))
            made[_table(label, slot)] = table(known, shape[0], isinstance(law, Posterior), precision.table)
    return made


def _degrees(law: Any) -> Any:
    """Return the degrees of freedom of a law's Wishart matrix, None where there is none or they are random."""
    df = law.df if isinstance(law, Draw) else law.size - 1 if isinstance(law, Posterior) else None
    return None if df is None or COUNT in df.free_symbols else df


def _table(label: str, slot: int) -> str:
    return f"{label}_wishart_{slot}"


def _refits(loop: Loop) -> dict[str, Step]:
    """Return the later fits and, where it is another, the first."""
    first, later = matrix_steps(loop)
    later = with_sizes(later, loop.regime)
    return {"later": later} if _alike(first, later) else {"first": first, "later": later}


def _transition(
    label: str, refit: Step, loop: Loop, d: int, precision: Precision
) -> Callable[[Key, Any, Given, State], State]:
    """Return the function that makes the next state."""
    given = letters(loop)

    def transition(key: Key, k: Any, values: Given, state: State) -> State:
        here = {symbols.n: k} | {x: values[str(x)] for x in given}
        found = {slot: values.get(_table(label, slot)) for slot in range(len(refit.laws))}
        tables = {slot: x if x is None or x.ndim == 2 else x[k.astype(int) - 1] for slot, x in found.items()}
        return fitted(refit, Roots(d, k >= 0, precision.innovations), here, tables, key, state)

    return transition


def why_not_single(loop: Loop, shape: tuple[int, ...]) -> str | None:
    """Return None: whatever is drawn here is drawn in float32 as well."""
    del loop, shape


def size(loop: Loop, shape: tuple[int, ...], generations: int) -> int:
    """Return how many numbers a chain carries: its root, the random triangle, and the root that is made.

    Elementwise work passes over all of them again and again, so that few enough chains advance together for all to
    stay near the processor.
    """
    del loop, generations
    (d,) = shape
    return (12 if d <= SMALL else 3) * d * d


def _alike(first: Step, later: Step) -> bool:
    """Return whether the first fit is fit n with n = 1, the memory being empty."""
    if len(first.laws) != len(later.laws):
        return False
    empty = {x: S.Zero for x in later.update if x not in (DELTA, SIGMA)} | {symbols.n: S.One}
    pairs = [(first.update[x], value) for x, value in later.update.items()]
    laws = all(one == substituted(other, empty) for one, other in zip(first.laws, later.laws, strict=True))
    return laws and all(cancel(one - value.subs(empty)) == 0 for one, value in pairs)


def _start(loop: Loop, values: Given, d: int) -> dict[str, Any]:
    """Return model 0, the source, and empty memories."""
    later = _refits(loop)["later"]
    space = Roots(d)
    root = space.root(values["root0"])
    zeros = jnp.zeros_like(root.logs)
    memory = {
        x.name: zeros if is_vector(x) else Blocks(*map(jnp.zeros_like, root.unit))
        for x in later.update
        if x not in (DELTA, SIGMA)
    }
    centre = {CENTRE: space.constant(values["mu0"]), SOURCE_ROOT: root}
    return {**centre, DELTA.name: zeros, SIGMA.name: root, **memory}


def _view(state: State, d: int) -> dict[str, Array]:
    """Return mean, covariance, and the trace and the logarithm of the determinant of the latter."""
    space, root = Roots(d), state[SIGMA.name]
    triangle = space.triangle(root)
    covariance = space.symmetric(space.gram(triangle))
    logs = 2 * space.leading(root.logs)
    values = {"mu": space.leading(state[CENTRE] + state[DELTA.name]), "Sigma": space.leading(covariance)}
    values["trace"] = space.squares(triangle)
    return values | {"log_det": sum((logs[:, j] for j in range(1, d)), logs[:, 0])}
