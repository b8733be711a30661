"""What the theory derives for trained models: how much of a variance, or of a law's diversity, a regime keeps.

A fit that has the mean and the covariance of its data is in this respect a Gaussian fitted by maximum likelihood,
whatever else it is; and the transitions out of a context that sees m letters are a categorical law fitted to m tokens.
"""

from collections.abc import Callable, Sequence
from functools import cache

import jax
import numpy as np
from jax import Array
from sympy import Expr, Rational

from numerics.printer import to_jax
from theory.expect import expect
from theory.families import Bernoulli, Gaussian
from theory.loop import Loop
from theory.regimes import Regime
from theory.symbols import M


def variance_kept(regime: Regime, samples: int, generations: int) -> np.ndarray:
    """Return E V_n/V_0, n = 0..generations, for fits with the moments of their data.

    >>> from theory import Replace
    >>> variance_kept(Replace(), 10, 2).round(9).tolist()
    [1.0, 0.9, 0.81]
    """
    return _values(Loop(Gaussian(0, 1), regime=regime), Gaussian.V, np.array([samples]), generations)[:, 0]


def diversity_kept(regime: Regime, samples: np.ndarray, generations: int) -> np.ndarray:
    """Return E[1 - sum p^2] by its value at generation 0, shape (generations + 1, sizes), for several sizes.

    Any number of types does as two: 1 - sum p_i^2 is a sum over pairs of types, each of which is lost alike. A size
    below one token counts as one.
    """
    half = Loop(Bernoulli(Rational(1, 2)), regime=regime)
    spread = 4 * Bernoulli.p * (1 - Bernoulli.p)
    return _values(half, spread, np.maximum(samples, 1), generations)


def transitions_kept(joint: np.ndarray, regime: Regime, tokens: int, generations: int) -> np.ndarray:
    """Return sum_c w_c (1 - sum_y q(y | c)^2) R_n(tokens w_c), w_c the share of context c, R_n by `diversity_kept`.

    So much diversity is kept by a model of letters whose contexts forget independently, each on as many tokens as it
    is expected to see.

    Args:
        joint: shares of (context, letter) in the source.
        regime: the regime.
        tokens: letters in M rows.
        generations: number of fits.
    """
    weights = joint.sum(1)
    diversity = 1 - ((joint / np.where(weights > 0, weights, 1)[:, None]) ** 2).sum(1)
    return diversity_kept(regime, tokens * weights, generations) @ (weights * diversity)


def _values(loop: Loop, of: Expr, samples: np.ndarray, generations: int) -> np.ndarray:
    with jax.enable_x64(True):
        rows = _functions(loop, of, generations)(samples.astype(float))
        return np.stack([np.broadcast_to(row, samples.shape) for row in rows])


@cache
def _functions(loop: Loop, of: Expr, generations: int) -> Callable[..., Sequence[Array]]:
    return to_jax(expect(loop, of).values(generations), (M,))
