"""Two decompositions, cell by cell against raw data: columns of types fitted one by one, a mixture by one normal law.

What the eight loops do is simulated a second time from every data point by the slow simulator in NumPy, which shares
neither samplers nor fits nor moments with what is compared, and measured by formulas of its own. Limits of infinitely
many points are held against a quadrature. Each example is compared at the family-wise level 1e-6.
"""

import numpy as np
import pytest
from attrs import evolve
from scipy.special import ndtri, rel_entr
from scipy.stats import norm
from sympy import Rational, oo

from numerics.decomposition import CELLS, FIGURES, simulated_sources
from numerics.reference import reference
from theory import Categorical, Floor, Gaussian, Loop, Mixture, ProductCategorical, Tempered
from theory.sources import name, variant

LEVEL = 1e-6
Z = float(-ndtri(LEVEL / 2 / FIGURES))
POWER, ASKED = 0.9, 0.1
"""Every comparison sees a tenth of the largest cell with this probability, or is refused."""
SEED = 20_261_123

JOINT = Categorical([Rational(k, 10) for k in (4, 1, 2, 3)])
TYPES = Loop(ProductCategorical((2, 2)), source=JOINT, sampling=Tempered(Rational(1, 2)), samples=6)
TWO = Mixture(2, weights=["1/4", "3/4"], means=[-2, 2], variances=[1, 1])
NORMAL = Loop(Gaussian(), source=TWO, estimator=Floor(Rational(1, 2)), samples=200)
GENERATIONS = 2


def raw(loop, measure, chains):
    """The measure of model 2, by chain, from every data point."""
    models = reference(loop, None, GENERATIONS, chains, np.random.default_rng(SEED))
    return measure({key: values[:, -1] for key, values in models.items()})


def apart(value, error, values):
    """Distance between a number with its error and the mean of raw values in standard errors, and what it would see."""
    both = np.hypot(error, values.std() / len(values) ** 0.5)
    return (value - values.mean()) / max(both, 1e-12), (Z + ndtri(POWER)) * both


def believed(row):
    """What the table holds: theory where there is one, else the mean over chains with its error."""
    return (row.value, 0.0) if row.theory is not None else (row.simulated.mean, row.simulated.error)


# Columns of types ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def types():
    return simulated_sources(TYPES, "kl_model_source", generations=GENERATIONS, chains=4000, level=LEVEL)


def divergence(models):
    """KL(model || source) of frequencies."""
    return rel_entr(models["p"], np.array(JOINT.probabilities, dtype=float)).sum(axis=1)


@pytest.mark.parametrize("cell", CELLS, ids=name)
def test_every_cell_of_the_table_of_types_agrees_with_raw_data(types, cell):
    """Assert theory or simulation against points drawn by NumPy, and limits term by term."""
    loop, row = variant(TYPES, cell), types.rows[cell]
    if loop.samples == oo:
        assert row.theory == pytest.approx(limit_of_types(cell), abs=1e-12)
        return
    z, seen = apart(*believed(row), raw(loop, divergence, 20_000))
    assert abs(z) < Z
    assert seen < ASKED * row.scale
    assert row.verdict in ("agree", "simulated only")


def limit_of_types(cell):
    """KL(model 2 || source) where the frequencies are probabilities: squares at half the temperature, and margins."""
    p0 = np.array(JOINT.probabilities, dtype=float).reshape(2, 2)
    p = p0
    for _ in range(GENERATIONS):
        if "approximation" in cell:
            p = p**2 / (p**2).sum()
        if "expressivity" in cell:
            p = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    return float(rel_entr(p, p0).sum())


def test_a_wrong_cell_of_types_is_seen(types):
    """Assert that a seventh of the largest cell too much is beyond the level."""
    row = types.rows[CELLS[-1]]
    value, error = believed(row)
    z, _ = apart(value + row.scale / 7, error, raw(TYPES, divergence, 20_000))
    assert abs(z) > Z


def test_fitting_columns_one_by_one_pays_for_itself(types):
    """Assert a negative interaction with finite samples: four types are lost sooner than two and two."""
    low, high = types.interactions[frozenset({"statistical", "expressivity"})].interval
    assert low < high < 0


# A mixture -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def normal():
    return simulated_sources(NORMAL, "kl_source_model", generations=GENERATIONS, chains=3600, many=600, level=LEVEL)


GRID = np.linspace(-10, 10, 4001)
WEIGHTS = np.array([1, 3]) / 4 @ norm.pdf(GRID, np.array([[-2], [2]])) * (GRID[1] - GRID[0])
"""The source as points with weights."""


def loss(models):
    """KL(source || model), on the grid."""
    if "w" not in models:
        models = {"w": np.ones((len(models["mu"]), 1)), "m": models["mu"][:, None], "v": models["V"][:, None]}
    density = sum(
        models["w"][:, [j]] * norm.pdf(GRID, models["m"][:, [j]], models["v"][:, [j]] ** 0.5)
        for j in range(models["w"].shape[1])
    )
    return (np.log(WEIGHTS / (GRID[1] - GRID[0])) - np.log(density)) @ WEIGHTS


def limit_of_normal(cell):
    """The divergence of model 2 of infinitely many points: rounds of EM on the grid, from the last model on."""
    added = 0.5 if "approximation" in cell else 0.0
    if "expressivity" in cell:
        return loss({"mu": np.zeros(1) + 1, "V": np.zeros(1) + 4 + GENERATIONS * added})[0]
    model = {"w": np.array([0.25, 0.75]), "m": np.array([-2.0, 2.0]), "v": np.ones(2)}
    for _ in range(GENERATIONS):
        density = model["w"][:, None] * norm.pdf(GRID, model["m"][:, None], model["v"][:, None] ** 0.5)
        model = climbed(density.sum(0) * (GRID[1] - GRID[0]), model, added + 1e-6)
    return loss({key: values[None] for key, values in model.items()})[0]


def climbed(law, model, floor):
    """Rounds of EM on a law over the grid, until the log-likelihood rises by less than 1/1000."""
    before, (w, m, v) = -np.inf, model.values()
    while True:
        density = w[:, None] * norm.pdf(GRID, m[:, None], v[:, None] ** 0.5)
        height, r = law @ np.log(density.sum(0)), law * density / density.sum(0)
        w = r.sum(1)
        m = r @ GRID / w
        v = (r * (GRID - m[:, None]) ** 2).sum(1) / w + floor
        if abs(height - before) < 1e-3:
            return {"w": w, "m": m, "v": v}
        before = height


@pytest.mark.parametrize("cell", CELLS, ids=name)
def test_every_cell_of_the_mixture_agrees_with_raw_data(normal, cell):
    """Assert simulation against points drawn and climbs run by NumPy; limits against EM on the density itself."""
    loop, row = variant(NORMAL, cell), normal.rows[cell]
    if loop.samples == oo:
        exact = limit_of_normal(cell)
        assert evolve(row, theory=exact).verdict == ("agree" if row.simulated else "theory only")
        assert row.simulated or row.theory == pytest.approx(exact, abs=1e-9)
        return
    z, seen = apart(*believed(row), raw(loop, loss, 800))
    assert abs(z) < Z
    assert seen < ASKED * row.scale


def test_a_number_that_stands_for_infinitely_many_says_what_it_is_off_by(normal):
    """Assert that the row names the number and its bias, that intervals hold it, and that shares have some of it."""
    row = normal.rows[frozenset({"approximation"})]
    assert f"600 samples stand for infinitely many, off by at most {row.simulated.bias:.2g}" in row.reason
    assert row.simulated.half == pytest.approx(Z * row.simulated.error + row.simulated.bias)
    shares = normal.shares
    assert 0 < shares["approximation"].bias < sum(normal.biases.values())
    assert normal.biases.keys() == {cell for cell in CELLS if cell and "statistical" not in cell}


def test_shares_of_both_examples_sum_to_what_the_cells_differ_by(types, normal):
    """Assert sum of shares = v(SEA) - v(none) to rounding."""
    for found in (types, normal):
        assert sum(share.mean for share in found.shares.values()) == pytest.approx(found.total.mean, rel=1e-12)
