"""Hypothesis strategies: loops over every axis, exact points of their symbols, fitted models, and observables.

Which combinations describe a loop is asked of `Loop`, and which derive is asked of `expect`, so that no rule about them
is written a second time.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from itertools import groupby
from typing import Any

from attrs import evolve
from hypothesis import strategies as st
from sympy import Add, Expr, Indexed, Mul, Symbol

from proofs.testing.axes import ESTIMATORS, FAMILIES, REGIMES, SAMPLES, SAMPLINGS, SOURCES, Table
from proofs.testing.rationals import RATIONALS, meant
from theory import Categorical, Loop, NotClosed, expect

Draw = Callable[[st.SearchStrategy[Any]], Any]
Choice = Iterable[Any]
"""Classes of an axis, drawn from its table, or instances, taken as they are."""


@st.composite
def loops(
    draw: Draw,
    families: Choice = tuple(FAMILIES),
    estimators: Choice = tuple(ESTIMATORS),
    regimes: Choice = tuple(REGIMES),
    samplings: Choice = tuple(SAMPLINGS),
    samples: st.SearchStrategy[Any] = SAMPLES,
) -> Loop:
    """Draw a Loop: one value an axis, in symbols or in exact numbers, in every combination that describes a loop.

    Args:
        families: classes, or families with their source as instances.
        estimators: classes or instances, as for the other two.
        regimes: which data each fit sees.
        samplings: how points are drawn from a model.
        samples: strategy of M; by default the symbol, small and large integers, and oo.

    Raises:
        ValueError: a class that has no line in its table.

    >>> from hypothesis import find
    >>> from theory import Gaussian
    >>> find(loops(families=[Gaussian]), lambda loop: True) == Loop(Gaussian())
    True
    """
    loop = draw(_sources(draw(_axis(FAMILIES, families, "families"))))
    axes = {
        "estimator": _axis(ESTIMATORS, estimators, "estimators"),
        "regime": _axis(REGIMES, regimes, "regimes"),
        "sampling": _axis(SAMPLINGS, samplings, "samplings"),
        "samples": samples,
    }
    for name, values in axes.items():
        value = draw(values.filter(lambda value, name=name, loop=loop: _describes(loop, name, value)))
        loop = evolve(loop, **{name: value})
    return loop


def _sources(family: Any) -> st.SearchStrategy[Loop]:
    outside = SOURCES.get(type(family), st.nothing())
    return st.builds(Loop, st.just(family), source=st.none() | outside)


def _axis(table: Table, chosen: Choice, name: str) -> st.SearchStrategy[Any]:
    return st.one_of(*(_values(table, value, name) for value in chosen))


def _values(table: Table, value: Any, name: str) -> st.SearchStrategy[Any]:
    if not isinstance(value, type):
        return st.just(value)
    if value not in table:
        known = ", ".join(kind.__name__ for kind in table)
        raise ValueError(f"{name}: nothing is known of {value.__name__}. Give an instance, or choose among {known}.")
    return table[value]


def _describes(loop: Loop, axis: str, value: Any) -> bool:
    """Return whether the loop with another value of one axis is a loop."""
    try:
        return evolve(loop, **{axis: value}) is not None
    except ValueError:
        return False


def closing_loops(**axes: Any) -> st.SearchStrategy[Loop]:
    """Draw a loop, as `loops` does, of which the first and second moments derive."""
    return loops(**axes).filter(closes)


def closes(loop: Loop, of: Expr | None = None) -> bool:
    """Return whether E[of(model n)] derives; by default, whether all moments up to the second do.

    >>> from theory import Bernoulli, Tempered
    >>> closes(Loop(Bernoulli())), closes(Loop(Bernoulli(), sampling=Tempered(2)))
    (True, False)
    """
    wanted = [Add(*group) ** 2 + Add(*group) for group in groups(loop)] if of is None else [of]
    try:
        return all(expect(loop, observable) is not None for observable in wanted)
    except NotClosed:
        return False


def groups(loop: Loop) -> list[tuple[Expr, ...]]:
    """Return the fitted parameters, in groups whose products are observables: one group a coordinate, where there are
    coordinates.
    """
    law = loop.law
    if isinstance(law, Categorical):
        return [tuple(law.p[k] for k in range(min(law.types, 3) if law.types.is_Integer else 2))]
    parameters = sorted(law.source(), key=_coordinate)
    return [tuple(group) for _, group in groupby(parameters, _coordinate)]


def _coordinate(parameter: Expr) -> tuple[int, ...]:
    return tuple(map(int, parameter.indices)) if isinstance(parameter, Indexed) else ()


@st.composite
def points(draw: Draw, loop: Loop) -> dict[str, Expr]:
    """Draw an exact value for each of the loop's symbols, by name: ``loop.at(**point)`` is a loop in numbers.

    M comes first and the others fit it, so that alpha*M is whole where it has to be; the source's symbols are included.

    >>> from hypothesis import find
    >>> from theory import Gaussian
    >>> find(points(Loop(Gaussian())), lambda point: True)
    {'M': 2, 'V0': 1, 'mu0': 0}
    """
    values: dict[Symbol, Expr] = {}
    for symbol in sorted(loop.free_symbols, key=lambda symbol: (not symbol.is_integer, symbol.name)):
        here = loop.substitute(values)
        numbers = st.sampled_from(meant(symbol, loop.family.has_variance))
        values[symbol] = draw(numbers.filter(lambda x, s=symbol, at=here: fits(at, {s: x})))
    return {symbol.name: value for symbol, value in values.items()}


def fits(loop: Loop, values: Mapping[Symbol, Expr]) -> bool:
    """Return whether the loop with these values is a loop."""
    try:
        return loop.substitute(dict(values)) is not None
    except ValueError:
        return False


@st.composite
def parameters(draw: Draw, loop: Loop) -> dict[Expr, Expr]:
    """Draw a fitted model: an exact value for each parameter of the loop's family.

    >>> from hypothesis import find
    >>> from theory import Gaussian
    >>> find(parameters(Loop(Gaussian())), lambda model: True)
    {mu: 0, V: 1}
    """
    law, wanted = loop.law, {x for group in groups(loop) for x in group}
    models = _values(FAMILIES, type(law), "families").filter(lambda family: family != Categorical())
    model = draw(models.filter(lambda family: not family.free_symbols and wanted <= family.source().keys()))
    return dict(model.source())


@st.composite
def observables(draw: Draw, loop: Loop, degree: int = 2) -> Expr:
    """Draw a polynomial of total degree at most ``degree`` in the fitted parameters: one to three monomials.

    >>> from hypothesis import find
    >>> from theory import Gaussian
    >>> find(observables(Loop(Gaussian())), lambda polynomial: True)
    mu
    """
    terms = draw(st.lists(_monomials(groups(loop), degree), min_size=1, max_size=3))
    weights = st.sampled_from([x for x in RATIONALS if x > 0] + [x for x in RATIONALS if x < 0])
    return Add(*(draw(weights) * term for term in terms))


def _monomials(among: list[tuple[Expr, ...]], degree: int) -> st.SearchStrategy[Expr]:
    letters = [st.sampled_from(group) for group in among]
    factors = st.one_of(*(st.lists(letter, min_size=1, max_size=degree) for letter in letters))
    return factors.map(lambda chosen: reduce(Mul, chosen))
