"""The printer against mpmath, function by function, and its refusals."""

import jax
import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.printer import _FUNCTIONS, to_jax
from theory.constants import Constant
from theory.symbols import K, i, p

x, y = sp.symbols("x y", real=True)
ROUNDING = 1e-11
"""Relative error allowed to JAX's special functions in float64."""

RANGES = {
    sp.acos: (-0.99, 0.99),
    sp.asin: (-0.99, 0.99),
    sp.erfinv: (-0.99, 0.99),
    sp.gamma: (0.1, 50.0),
    sp.loggamma: (0.1, 50.0),
    sp.factorial: (0.1, 50.0),
    sp.harmonic: (0.1, 50.0),
    sp.log: (1e-3, 1e3),
    sp.zeta: (1.1, 30.0),
}
"""Where a function is real and smooth, (-3, 3) for the others."""
TWO = {sp.lowergamma, sp.uppergamma}
CURVES = sorted(set(_FUNCTIONS) - TWO, key=str)


def evaluated(expr, **values):
    with jax.enable_x64(True):
        return np.asarray(to_jax(expr, sp.symbols(list(values), real=True))(*values.values()))


def close(ours, theirs):
    return abs(float(ours) - float(theirs)) <= ROUNDING * max(1.0, abs(float(theirs)))


@pytest.mark.parametrize("function", CURVES, ids=str)
@settings(max_examples=10)
@given(share=st.floats(0.001, 0.999))
def test_function_agrees_with_mpmath(function, share):
    """Assert that f(x) is mpmath's, over the range where f is real."""
    low, high = RANGES.get(function, (-3.0, 3.0))
    at = low + share * (high - low)
    assert close(evaluated(function(x), x=at), function(sp.Float(at, 30)).evalf(20))


@settings(max_examples=30)
@given(order=st.integers(0, 4), at=st.floats(0.2, 60.0))
def test_polygamma_agrees_with_mpmath(order, at):
    """Assert that psi_m(x) is mpmath's for m = 0..4, as a function of x and of a sum."""
    assert close(evaluated(sp.polygamma(order, x), x=at), mpmath.polygamma(order, at))


@settings(max_examples=30)
@given(a=st.floats(0.5, 10.0), at=st.floats(0.1, 20.0))
def test_incomplete_gammas_agree_with_mpmath(a, at):
    """Assert that gamma(a, x) and Gamma(a, x) are mpmath's, and sum to Gamma(a)."""
    lower, upper = (evaluated(f(x, y), x=a, y=at) for f in (sp.lowergamma, sp.uppergamma))
    assert close(lower, mpmath.gammainc(a, 0, at))
    assert close(lower + upper, mpmath.gamma(a))


@st.composite
def expressions(draw, depth=2):
    """A random expression in x > 0 and y > 0 that stays positive and moderate."""
    if depth == 0:
        return draw(st.sampled_from([x, y, sp.Integer(2), sp.Rational(1, 3), sp.pi]))
    one, two = draw(expressions(depth=depth - 1)), draw(expressions(depth=depth - 1))
    smooth = [one + two, one * two, one / (1 + two), sp.sqrt(one), one ** sp.Rational(2, 3), 1 / one, sp.log(1 + one)]
    kinked = [sp.Max(one, two), sp.Min(one, two), sp.Piecewise((one, x < y), (two, True)), sp.Abs(one - two)]
    return draw(st.sampled_from([*smooth, *kinked]))


@settings(max_examples=25)
@given(expr=expressions(), a=st.floats(0.5, 2.0), b=st.floats(0.5, 2.0))
def test_expression_agrees_with_mpmath(expr, a, b):
    """Assert that a composed expression has SymPy's own value."""
    theirs = expr.subs({x: sp.Float(a, 30), y: sp.Float(b, 30)}).evalf(20)
    assert close(evaluated(expr, x=a, y=b), theirs)


def test_constants_are_exact_and_broadcast():
    """Assert that what holds no symbol is evaluated exactly, whatever its functions, and takes the arguments' shape."""
    difference = sp.digamma(sp.Rational(9, 2)) - sp.log(sp.Rational(9, 2))
    assert float(evaluated(difference, x=np.zeros(3))[1]) == float(difference)
    assert evaluated([sp.besselk(0, 1), x], x=np.zeros((2, 3)))[0].shape == (2, 3)
    assert float(evaluated(Constant(sp.digamma(sp.Integer(3))) + x, x=0.0)) == float(sp.digamma(3))


PROBABILITIES = np.array([[0.5, 0.3, 0.2, 0.0], [0.25, 0.25, 0.25, 0.25]])
SUMS = {
    "collision": (sp.Sum(p[i] ** 2, (i, 0, K - 1)), (PROBABILITIES**2).sum(-1)),
    "vocabulary": (sp.Sum(sp.sign(p[i]), (i, 0, K - 1)), (PROBABILITIES > 0).sum(-1)),
    "slice": (sp.Sum(p[i], (i, 1, 2)), PROBABILITIES[:, 1:3].sum(-1)),
    "entry": (p[3] * p[0], PROBABILITIES[:, 3] * PROBABILITIES[:, 0]),
    "index": (sp.Sum(i * p[i], (i, 0, K - 1)), PROBABILITIES @ np.arange(4)),
    "neighbours": (sp.Sum(p[i] * p[i + 1], (i, 0, K - 2)), (PROBABILITIES[:, 1:] * PROBABILITIES[:, :-1]).sum(-1)),
    "types": (p[0] - 1 / K, PROBABILITIES[:, 0] - 0.25),
    "constant summand": (sp.Sum(p[0] + 0 * i, (i, 0, K - 1)), 4 * PROBABILITIES[:, 0]),
    "double": (
        sp.Sum(p[i] * p[sp.Symbol("j")] * sp.Abs(i - sp.Symbol("j")), (i, 0, K - 1), (sp.Symbol("j"), 0, 2)),
        np.einsum("ca,cb,ab->c", PROBABILITIES, PROBABILITIES[:, :3], abs(np.subtract.outer(range(4), range(3)))),
    ),
}


@pytest.mark.parametrize(("expr", "wanted"), SUMS.values(), ids=SUMS)
def test_sums_over_types(expr, wanted):
    """Assert that a sum over types is NumPy's sum over the last axis, for a batch of laws."""
    with jax.enable_x64(True):
        np.testing.assert_allclose(to_jax(expr, [p])(PROBABILITIES), wanted, rtol=1e-14)


def test_matrix_entries():
    """Assert that Sigma[a, b] reads the last two axes."""
    Sigma, values = sp.IndexedBase("Sigma"), np.arange(8.0).reshape(2, 2, 2)
    with jax.enable_x64(True):
        np.testing.assert_array_equal(to_jax(Sigma[0, 1] * Sigma[1, 0], [Sigma])(values), [1 * 2, 5 * 6])


REFUSED = {
    "Bessel": (sp.besselk(0, x), [x], "besselk"),
    "Lambert": (1 + sp.LambertW(x), [x], "LambertW"),
    "symbol": (x + y, [x], "symbol y"),
    "limit": (sp.Sum(p[i], (i, 0, sp.Symbol("m"))), [p], "sum over i"),
    "index": (p[2 * i], [p], "no sum runs over"),
    "stretch": (sp.Sum(p[2 * i], (i, 0, 1)), [p], "no shift"),
    "complex": (sp.sqrt(-2) * x, [x], "no real number"),
    "order": (sp.polygamma(y, x), [x, y], "order"),
}


@pytest.mark.parametrize(("expr", "arguments", "named"), REFUSED.values(), ids=REFUSED)
def test_refusal_comes_when_built_and_by_name(expr, arguments, named):
    """Assert that what has no counterpart is refused before any number is seen."""
    with pytest.raises(ValueError, match=named):
        to_jax(expr, arguments)


def test_index_beyond_the_end_is_refused():
    """Assert that p[7] of four types is an error, where JAX would read the last one."""
    with jax.enable_x64(True), pytest.raises(ValueError, match="does not exist"):
        to_jax(p[7], [p])(PROBABILITIES)
    with jax.enable_x64(True), pytest.raises(ValueError, match="does not exist"):
        to_jax(sp.Sum(p[i], (i, 0, 7)), [p])(PROBABILITIES)
