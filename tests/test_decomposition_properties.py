"""Identities of the decomposition on random loops: families, estimators, regimes, samplings and sizes as they come.

Nothing here is compared with a tolerance for chance: what is asserted holds for every run, and bit for bit where it is
said so.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, oo

from numerics.decomposition import CELLS, simulated_sources
from theory import (
    MLE,
    Accumulate,
    Categorical,
    Damped,
    Decomposition,
    DiagonalGaussian,
    Faithful,
    Gaussian,
    Laplace,
    Loop,
    Mixed,
    Mixture,
    MultivariateGaussian,
    NotClosed,
    ProductCategorical,
    Replace,
    Scaled,
    Shrinkage,
    Tempered,
    Unbiased,
    sources,
)
from theory.sources import SOURCES, name, variant

HALF = Rational(1, 2)
CHAINS = 4
fractions = st.fractions(-10, 10, max_denominator=20)
rationals = st.fractions(Fraction(1, 4), 2, max_denominator=8).map(lambda x: Rational(x.numerator, x.denominator))


def between(cell, top):
    """Subsets of a cell up to another."""
    return (other for other in CELLS if cell <= other <= top)


@given(st.lists(fractions, min_size=8, max_size=8))
def test_interactions_invert_to_the_cells_and_shares_sum(values):
    """Assert sum over subsets of m = v for every cell, sum of shares = v(all) - v(none), exactly, in fractions."""
    exact = [Rational(x.numerator, x.denominator) for x in values]
    split = Decomposition(dict(zip(CELLS, exact, strict=True)))
    for cell, value in split.cells.items():
        assert sum(split.interactions[part] for part in between(frozenset(), cell)) == value
    assert sum(split.shares.values()) == split.total == exact[-1] - exact[0]


@given(st.lists(fractions, min_size=4, max_size=4), st.sampled_from(SOURCES))
def test_a_source_that_changes_no_cell_has_no_share(values, dummy):
    """Assert the share 0 and no interaction of a source without which every cell is what it is with it."""
    exact = iter([Rational(x.numerator, x.denominator) for x in values])
    without = {cell: next(exact) for cell in CELLS if dummy not in cell}
    split = Decomposition({cell: without[cell - {dummy}] for cell in CELLS})
    assert split.shares[dummy] == 0
    assert all(m == 0 for cell, m in split.interactions.items() if dummy in cell)


# Loops in symbols ----------------------------------------------------------------------------------------------------


PLANE = MultivariateGaussian([0, 1], [[1, HALF], [HALF, 2]])
estimators = st.one_of(
    st.sampled_from([MLE(), Unbiased()]), rationals.map(Scaled), st.just(Damped(HALF)), st.just(Shrinkage(HALF))
)
samplings = st.one_of(st.just(None), rationals.map(Tempered))
regimes = st.sampled_from([Replace(), Accumulate(), Mixed(Rational(1, 4))])


FAMILIES = [(Gaussian(0, 1), None), (Gaussian(), Laplace()), (DiagonalGaussian(), PLANE)]


@st.composite
def loops(draw):
    """A normal loop of any family, as narrow or as wide as its source."""
    family, source = draw(st.sampled_from(FAMILIES))
    sampling = draw(samplings)
    axes = {} if sampling is None else {"sampling": sampling}
    samples = draw(st.sampled_from([8, 12, 20, oo]))
    return Loop(family, source=source, estimator=draw(estimators), regime=draw(regimes), samples=samples, **axes)


@settings(max_examples=40)
@given(loops())
def test_exact_shares_sum_to_the_total_exactly(loop):
    """Assert identity of expressions: sum of shares = v(SEA) - v(none), on the logarithm of the variance."""
    try:
        split = sources(loop, "log_variance").at(n=2)
    except NotClosed:
        return
    assert (sum(split.shares.values()) - split.total).expand() == 0
    assert (sum(split.interactions.values()) - split.cells[CELLS[-1]]).expand() == 0
    for source in SOURCES:
        if variant(loop, frozenset(SOURCES) - {source}) == loop:
            assert split.shares[source] == 0


# Loops that are run --------------------------------------------------------------------------------------------------


UNIT = Fraction(1, 2**53)
"""Half the distance from 1 to the next number of 64 bits: what one operation rounds by, relatively."""
ALL, NONE = CELLS[-1], CELLS[0]
places = st.fractions(-2, 2, max_denominator=4).map(lambda x: Rational(x.numerator, x.denominator))
tables = st.lists(st.integers(1, 9), min_size=4, max_size=4).map(
    lambda w: Categorical([Rational(x, sum(w)) for x in w])
)
faithful_or_not = st.one_of(st.just(Faithful()), rationals.map(Tempered))


@st.composite
def planes(draw):
    """A normal law of two coordinates, with any correlation."""
    V, W = draw(rationals), draw(rationals)
    tie = min(V, W) * Rational(draw(st.integers(-7, 7)), 8)
    return MultivariateGaussian([draw(places), draw(places)], [[V, tie], [tie, W]])


@st.composite
def two_humps(draw):
    """A mixture of two normal laws."""
    share = Rational(draw(st.integers(1, 7)), 8)
    means, variances = ([draw(each), draw(each)] for each in (places, rationals))
    return Mixture(2, weights=(share, 1 - share), means=means, variances=variances)


scaled = st.one_of(st.just(Unbiased()), rationals.map(Scaled))
FORMS = {
    "normal": (
        st.builds(
            Loop,
            st.builds(Gaussian, places, rationals),
            estimator=st.one_of(st.just(MLE()), scaled),
            regime=st.sampled_from([Replace(), Accumulate(), Mixed(Rational(1, 4)), Mixed(HALF)]),
            sampling=faithful_or_not,
            samples=st.sampled_from([8, 12, 20, 400]),
        ),
        ("log_variance", "w2", "kl_model_source"),
    ),
    "plane": (
        st.builds(
            Loop,
            st.just(DiagonalGaussian()),
            source=planes(),
            estimator=scaled,
            sampling=faithful_or_not,
            samples=st.just(8),
        ),
        ("log_variance", "kl_model_source", "w2"),
    ),
    "types": (
        st.builds(Loop, tables, sampling=faithful_or_not, samples=st.just(6)),
        ("entropy", "support", "kl_model_source"),
    ),
    "margins": (
        st.builds(Loop, st.just(ProductCategorical((2, 2))), source=tables, samples=st.just(5)),
        ("support", "entropy"),
    ),
    "mixture": (
        st.builds(Loop, st.just(Gaussian()), source=two_humps(), samples=st.just(16)),
        ("nll", "kl_model_source"),
    ),
}
"""Form -> loops of it, and what is measured. Numbers are drawn freely, and few things that would be compiled anew."""
MANY = 32
"""Points that stand for infinitely many, where a limit has no closed form."""
ROUNDINGS = 2 * 2 * (4 + 2 * 4)
"""Two cells, two refits of each: four numbers are added up to a logarithm, each right to two roundings."""


def run(loop, metric, seed):
    """The decomposition of a few chains at generation 2."""
    return simulated_sources(loop, metric, generations=2, chains=CHAINS, seed=seed, many=MANY)


def rounded(steps, terms):
    """What a sum of numbers is off by at most that were rounded so often (Higham, Accuracy and Stability, 3.1)."""
    return steps * UNIT / (1 - steps * UNIT) * sum(terms)


def adds_up(split):
    """Assert, of every chain, that interactions sum to the cells and shares to the total, but for roundings.

    All numbers are taken as the fractions they are, so that nothing is rounded here. An interaction is three
    differences, one after the other; a share is a sum of four interactions, each times a rounded weight.
    """
    for chain in range(CHAINS):
        v, m = (
            {cell: Fraction(float(x[chain])) for cell, x in part.items()} for part in (split.cells, split.interactions)
        )
        sizes = {cell: sum(abs(v[part]) for part in between(NONE, cell)) for cell in CELLS}
        for cell in CELLS:
            below = list(between(NONE, cell))
            assert abs(sum(m[part] for part in below) - v[cell]) <= rounded(3, [sizes[part] for part in below])
        shares = sum(Fraction(float(x[chain])) for x in split.shares.values())
        assert abs(shares - (v[ALL] - v[NONE])) <= rounded(8, [sizes[cell] for cell in CELLS[1:]])


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=4)
@given(st.data())
def test_any_run_adds_up_and_cells_do_not_see_what_they_lack(form, data):
    """Assert that shares and interactions of random loops add up in every chain, and the same bits in every cell that
    lacks a source, whether the loop has it or not, in which case its share is 0.
    """
    loops_of_form, metrics = FORMS[form]
    loop, metric = data.draw(loops_of_form), data.draw(st.sampled_from(metrics))
    seed = data.draw(st.integers(0, 2**62))
    whole = run(loop, metric, seed).split
    assert all(np.isfinite(values).all() for values in whole.cells.values())
    adds_up(whole)
    for source in (source for source in SOURCES if loop.without(source) != loop):
        less = run(loop.without(source), metric, seed).split
        adds_up(less)
        for cell in (cell for cell in CELLS if source not in cell):
            assert np.array_equal(whole.cells[cell], less.cells[cell]), name(cell)
        assert not less.shares[source].any()


@settings(max_examples=10)
@given(rationals, rationals, st.sampled_from([8, 12, 20, 400]), st.integers(0, 2**62))
def test_cells_share_their_random_numbers(c, tau, samples, seed):
    """Assert log V_n(with) - log V_n(without) = n log(c tau) chain by chain for a scale c and a temperature tau, which
    is so where both draw the same numbers alone, and an approximation share of that, with no interaction.
    """
    loop = Loop(Gaussian(0, 1), estimator=Scaled(c), sampling=Tempered(tau), samples=samples)
    split = run(loop, "log_variance", seed).split
    shift = 2 * np.log(float(c * tau))
    statistical, both = (split.cells[frozenset(cell)] for cell in (["statistical"], ["statistical", "approximation"]))
    largest = max(1.0, *np.abs(statistical), *np.abs(both), abs(shift))
    slack = float(rounded(ROUNDINGS, [Fraction(largest)]))
    assert np.abs(both - statistical - shift).max() <= slack
    assert np.abs(split.shares["approximation"] - shift).max() <= slack
    assert len({*statistical}) == CHAINS
