"""Schedules of whole numbers by one real symbol: the least of a family, between the jumps of its sizes."""

from itertools import pairwise
from math import prod

import pytest
from sympy import Rational, S, Symbol, ceiling, floor, oo

from theory import Gaussian, Loop, Schedule, n, plan
from theory.steps import jumps

V, UNIT = Gaussian.V, Gaussian(0, 1)
x = Symbol("x", positive=True)
FAMILIES = {
    "linear, up": ceiling(x * n),
    "linear, down": floor(x * n),
    "a power": ceiling(x * (1 + n) ** Rational(3, 2)),
    "geometric": ceiling(4 * x**n),
}

LOW = {"a power": Rational(1, 2)}
"""Lower ends of ranges in which the bound is crossed, 1 if not named."""


def kept(sizes):
    """Return E V_n/V_0 under a schedule."""
    return prod(1 - Rational(1, size) for size in sizes)


@pytest.mark.parametrize("case", FAMILIES)
def test_the_least_schedule_of_a_family(case):
    """Assert that the answer meets the bound, that the schedule before it misses, and that one jump lies between."""
    sizes = FAMILIES[case]
    found = plan(Loop(UNIT, regime=Schedule(sizes)), V, x, at_least=Rational(1, 2), n=3, between=(LOW.get(case, 1), 8))
    assert found.bracket is not None
    assert found.sizes is not None
    fails, holds = found.bracket
    here, before = ([int(sizes.subs({x: at, n: k})) for k in (1, 2, 3)] for at in (holds, fails))
    assert list(found.sizes) == here
    assert kept(here) >= S.Half > kept(before)
    assert here != before
    between = jumps(Schedule(sizes), x, S(3), fails, holds)
    assert between is not None
    assert sum(bool(fails <= at <= holds) for at in between) <= 2
    assert found.proved
    assert "M_1, ... = " in str(found)


def test_jumps_are_where_sizes_change():
    """Assert that sizes are the same between neighbouring jumps, and change at every one."""
    for sizes in FAMILIES.values():
        between = jumps(Schedule(sizes), x, S(3), S(2), Rational(5, 2))
        assert between is not None
        middles = [(a + b) / 2 for a, b in pairwise(between)]
        lists = [tuple(sizes.subs({x: at, n: k}) for k in (1, 2, 3)) for at in middles]
        assert all(one != two for one, two in pairwise(lists))


def test_what_has_no_jumps_is_left_alone():
    """Assert that sizes without a whole part, falling ones, and an endless horizon are not stepped."""
    assert jumps(Schedule(x * n), x, S(3), S(1), S(2)) is None
    assert jumps(Schedule(ceiling(n / x)), x, S(3), S(1), S(2)) is None
    assert jumps(Schedule(ceiling(x * n)), x, oo, S(1), S(2)) is None


def test_a_schedule_needs_no_number_for_samples():
    """Assert that M, of which the sizes make nothing, is not asked for."""
    with pytest.raises(ValueError, match="is no symbol of the loop"):
        plan(Loop(UNIT, regime=Schedule(ceiling(x * n))), V, Symbol("M", integer=True, positive=True), at_least=1, n=3)
