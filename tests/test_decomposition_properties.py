"""Identities of the decomposition on random loops: families, estimators, regimes, samplings and sizes as they come.

Nothing here is compared with a tolerance for chance: what is asserted holds for every run, and bit for bit where it is
said so.
"""

from fractions import Fraction

import numpy as np
import pytest
from attrs import evolve
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
    Gaussian,
    Laplace,
    Loop,
    Mixed,
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


JOINT = Categorical([Rational(k, 10) for k in (4, 1, 2, 3)])
RUN = [
    Loop(DiagonalGaussian(), source=PLANE, estimator=Scaled(Rational(9, 10)), sampling=Tempered(2), samples=8),
    Loop(ProductCategorical((2, 2)), source=JOINT, sampling=Tempered(HALF), samples=5),
]
METRICS = {DiagonalGaussian: ("log_variance", "kl_model_source", "w2"), ProductCategorical: ("entropy", "support")}


@pytest.mark.parametrize("loop", RUN, ids=lambda loop: type(loop.family).__name__)
@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_is_off_leaves_the_others_bit_identical(loop, source):
    """Assert the same bits in every cell that lacks a source, whether the loop has it or not, and its share 0."""
    for metric in METRICS[type(loop.family)]:
        with_, without = (
            simulated_sources(one, metric, generations=2, chains=CHAINS, seed=3) for one in (loop, loop.without(source))
        )
        for cell in (cell for cell in CELLS if source not in cell):
            assert np.array_equal(with_.split.cells[cell], without.split.cells[cell]), (metric, name(cell))
        assert without.shares[source].mean == 0
        sums = sum(with_.split.shares.values(), np.zeros(CHAINS))
        assert np.allclose(sums, with_.split.total, rtol=1e-12, atol=1e-14)


@settings(max_examples=3)
@given(st.sampled_from(RUN), st.sampled_from([6, 8]), st.integers(0, 2**32))
def test_shares_of_any_run_sum_chain_by_chain(loop, samples, seed):
    """Assert sum of shares = v(SEA) - v(none), and interactions that invert to the cells, in every single chain."""
    metric = METRICS[type(loop.family)][0]
    here = evolve(loop, samples=samples)
    split = simulated_sources(here, metric, generations=2, chains=CHAINS, seed=seed).split
    assert np.allclose(sum(split.shares.values(), np.zeros(CHAINS)), split.total, rtol=1e-12, atol=1e-14)
    for cell, values in split.cells.items():
        back = sum((split.interactions[part] for part in between(frozenset(), cell)), np.zeros(CHAINS))
        assert np.allclose(back, values, rtol=1e-12, atol=1e-13)
