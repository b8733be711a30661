"""The eight cells of the three error sources: identities of the decomposition, and the example in two dimensions."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, S, expand_log, log, nsimplify, polygamma, simplify

from theory import (
    Bernoulli,
    Damped,
    DiagonalGaussian,
    Gaussian,
    Loop,
    M,
    MultivariateGaussian,
    NotClosed,
    Scaled,
    Tempered,
    Unbiased,
    n,
    risk,
    sources,
    tau,
)
from theory.sources import CELLS, SOURCES, Decomposition, name, variant

RHO = Rational(3, 5)
CORRELATED = MultivariateGaussian([0, 0], [[1, RHO], [RHO, 1]])
PLANE = Loop(DiagonalGaussian(), source=CORRELATED, estimator=Unbiased(), sampling=Tempered(tau), samples=20)
CELL = {name(cell): cell for cell in CELLS}
RATIONALS = st.fractions(-5, 5, max_denominator=9).map(lambda q: Rational(q.numerator, q.denominator))
TABLES = st.lists(RATIONALS, min_size=8, max_size=8).map(lambda values: dict(zip(CELLS, values, strict=True)))


@given(TABLES)
def test_shares_and_interactions_add_up(cells):
    """Assert sum phi = v(all) - v(none) and sum m = v(all), exactly."""
    split = Decomposition(cells)
    assert sum(split.shares.values()) == split.total == cells[CELL["SEA"]] - cells[CELL["none"]]
    assert sum(split.interactions.values()) == cells[CELL["SEA"]]


@given(TABLES)
def test_shares_are_means_over_orders(cells):
    """Assert phi(s) = mean over the six orders of what s adds to the sources before it, Shapley's own definition."""
    split = Decomposition(cells)
    for source in SOURCES:
        befores = [frozenset(order[: order.index(source)]) for order in permutations(SOURCES)]
        assert split.shares[source] == sum(cells[on | {source}] - cells[on] for on in befores) / 6


@given(TABLES, RATIONALS)
def test_a_source_that_adds_the_same_everywhere_has_that_share(cells, extra):
    """Assert phi(s) = x, and no interaction with s, where every cell with s is x above the same one without."""
    for cell in CELLS:
        if "approximation" in cell:
            cells[cell] = cells[cell - {"approximation"}] + extra
    split = Decomposition(cells)
    assert split.shares["approximation"] == extra
    assert all(m == 0 for cell, m in split.interactions.items() if "approximation" in cell and len(cell) > 1)


def test_the_plane_has_the_known_cells():
    """Assert the cells without temperature against Wishart moments, and those without samples against KL itself."""
    found = sources(PLANE).at(n=10, tau=Rational(97, 100))
    nu, generations, warm = S(19), 10, Rational(97, 100)

    def statistical(df, dimension):
        """E KL within a family of that dimension whose variances have nu degrees, E 1/V = nu/(df - 2)."""
        factor = nu / (df - 2)
        means = sum(factor**k for k in range(1, generations + 1)) / 20
        return dimension * (factor**generations + means - 1)

    logs = {d: sum(polygamma(0, (nu - j) / 2) - log(nu / 2) for j in range(d)) for d in (1, 2)}
    full = (statistical(nu - 1, 2) + generations * logs[2]) / 2
    narrow = -log(1 - RHO**2) / 2 + statistical(nu, 1) + generations * logs[1]
    tempered = warm**-generations - 1 + generations * log(warm)
    expected = {"none": 0, "S": full, "E": -log(1 - RHO**2) / 2, "A": tempered, "SE": narrow}
    for cell, value in expected.items():
        assert abs((found.cells[CELL[cell]] - value).evalf(30)) < 1e-25, cell


def test_expressivity_and_approximation_do_not_interact():
    """Assert m(EA) = 0: by Pythagoras the projection is paid once, whatever the procedure."""
    assert simplify(sources(PLANE).interactions[CELL["EA"]]) == 0


def test_a_narrower_family_may_have_a_negative_share():
    """Assert that the diagonal family, with fewer numbers to fit, slows the collapse by more than it costs."""
    found = sources(PLANE).at(n=10, tau=Rational(97, 100))
    assert found.cells[CELL["E"]] > 0 > found.shares["expressivity"].evalf()
    assert found.interactions[CELL["SE"]].evalf() < -found.cells[CELL["E"]].evalf()
    assert sources(PLANE).at(n=1, tau=1).shares["expressivity"].evalf() > 0


@pytest.mark.parametrize("estimator", [Scaled(Rational(9, 10)), Unbiased()], ids=repr)
def test_log_variances_add_up(estimator):
    """Assert that E log V_n = log V0 + n (psi(nu/2) - log(nu/2)) [S] + n (log c + log tau) [A], no interaction."""
    found = sources(Loop(Gaussian(), estimator=estimator, sampling=Tempered(tau)), "log_variance")
    nu = M - 1
    assert simplify(expand_log(found.shares["statistical"] - n * (polygamma(0, nu / 2) - log(nu / 2)), force=True)) == 0
    factor = n * (log(tau) + log(estimator.c if isinstance(estimator, Scaled) else 1))
    assert simplify(expand_log(found.shares["approximation"] - factor, force=True)) == 0
    assert all(simplify(expand_log(m, force=True)) == 0 for cell, m in found.interactions.items() if len(cell) > 1)


LOOPS = st.builds(
    lambda estimator, sampling, samples: Loop(Gaussian(0, 1), estimator=estimator, sampling=sampling, samples=samples),
    st.sampled_from([Unbiased(), Scaled(2), Scaled(Rational(1, 2))]),
    st.sampled_from([Tempered(Rational(9, 10)), Tempered(2)]),
    st.integers(8, 30),
)


@given(LOOPS, st.sampled_from(SOURCES))
def test_a_source_that_is_off_changes_no_other_cell(loop, off):
    """Assert that the cells without a source are those of the loop that never had it, and its share there is 0."""
    with_it, without = sources(loop), sources(loop.without(off))
    for cell in CELLS:
        if off not in cell:
            assert without.cells[cell] == with_it.cells[cell]
    assert simplify(without.shares[off]) == 0


def test_cells_are_risks_of_loops():
    """Assert that each cell is `risk` of the loop with the other sources off."""
    found = sources(PLANE)
    assert all(found.cells[cell] == risk(variant(PLANE, cell)).expression for cell in CELLS)


def test_any_measure_of_a_loop_can_be_split():
    """Assert that a function of a loop is taken as it is."""
    found = sources(PLANE, lambda loop: S(int(loop.samples.is_finite) + 2 * int(loop.source is not None)))
    assert (found.shares["statistical"], found.shares["expressivity"], found.shares["approximation"]) == (1, 2, 0)


def test_numbers_will_do():
    """Assert that floats are split as expressions are."""
    split = Decomposition({cell: 0.5 * len(cell) ** 2 for cell in CELLS})
    assert split.shares == pytest.approx(dict.fromkeys(SOURCES, 1.5))
    assert nsimplify(split.total) == Rational(9, 2)


@pytest.mark.parametrize(
    ("question", "error", "says"),
    [
        (lambda: sources(Loop(Bernoulli())), NotClosed, "cell none: family: Bernoulli"),
        (lambda: sources(Loop(Gaussian(), estimator=Damped(Rational(1, 2)))), NotClosed, "cell SA: "),
        (lambda: sources(Loop(Gaussian()), "distance"), ValueError, "metric = 'distance' is not known"),
        (lambda: Decomposition({}), ValueError, "cells none, S, E, A, SE, SA, EA, SEA are missing"),
    ],
)
def test_refusals(question, error, says):
    """Assert that what has no cell is refused by its name."""
    with pytest.raises(error, match=says):
        question()


def test_it_prints():
    """Assert that the table names every cell, in text and in LaTeX."""
    found = sources(PLANE).at(n=1, tau=1)
    assert [line.split()[0] for line in str(found).splitlines()[1:9]] == [name(cell) for cell in CELLS]
    assert r"\varphi_E &" in found._repr_latex_()
