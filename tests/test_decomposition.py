"""The eight cells by simulation: beside their theory, bit for bit where a source is off, and with honest verdicts.

Every decomposition that is compared has the family-wise level 1e-6, so that the file fails by chance once in 10^5 runs.
"""

import numpy as np
import pytest
import xarray as xr
from attrs import evolve
from scipy.integrate import quad
from scipy.stats import expon, laplace, norm, t, uniform
from sympy import E, Rational, log, oo, pi

from numerics.decomposition import CELLS, Estimate, Row, simulated_sources
from numerics.figures.error_sources import draw
from numerics.kits.lines import line
from numerics.metrics import measured
from theory import (
    Categorical,
    DiagonalGaussian,
    Exponential,
    Gaussian,
    GraphicalGaussian,
    IsotropicGaussian,
    Laplace,
    Loop,
    LowRankGaussian,
    Mixture,
    MultivariateGaussian,
    NotClosed,
    ProductCategorical,
    StudentT,
    Tempered,
    Unbiased,
    UniformOn,
)
from theory.sources import name

LEVEL = 1e-6
HALF = Rational(1, 2)
TIED = MultivariateGaussian([0, 1], [[1, Rational(3, 5)], [Rational(3, 5), 2]])
PLANE = Loop(DiagonalGaussian(), source=TIED, estimator=Unbiased(), sampling=Tempered(Rational(9, 10)), samples=12)
JOINT = Categorical([Rational(k, 10) for k in (4, 1, 2, 3)])
TABLE = Loop(ProductCategorical((2, 2)), source=JOINT, samples=6)


@pytest.fixture(scope="module")
def plane():
    """The plane at generation 2, its points drawn and refitted."""
    return simulated_sources(PLANE, "kl_model_source", generations=2, chains=4000, method="data", level=LEVEL)


def test_the_cells_of_the_plane_agree_with_their_theory(plane):
    """Assert the eight exact cells against raw data, each with the power to see a tenth of the largest."""
    assert {row.verdict for row in plane.rows.values()} == {"agree"}
    assert all(row.theory is not None for row in plane.rows.values())
    assert plane.verdict == "agree"


def test_a_wrong_cell_is_noticed(plane):
    """Assert that theory a fifth off in the largest cell is refused."""
    worst = max(plane.rows.values(), key=lambda row: row.value)
    assert evolve(worst, theory=1.2 * worst.theory).verdict == "disagree"


def test_shares_and_interactions_add_up(plane):
    """Assert sum of shares = total and sum of interactions = the cell of all, and intervals that say the same."""
    assert sum(share.mean for share in plane.shares.values()) == pytest.approx(plane.total.mean, rel=1e-12)
    whole = plane.rows[CELLS[-1]].simulated.mean
    assert sum(one.mean for one in plane.interactions.values()) == pytest.approx(whole, rel=1e-12)
    low, high = plane.total.interval
    assert low < plane.total.mean < high


def test_a_source_that_is_off_leaves_the_other_cells_bit_identical(plane):
    """Assert the same numbers, chain by chain, in the cells without a source and in those of a loop that lacks it."""
    without = simulated_sources(
        PLANE.without("approximation"), "kl_model_source", generations=2, chains=4000, method="data", level=LEVEL
    )
    for cell in CELLS:
        if "approximation" not in cell:
            assert np.array_equal(without.split.cells[cell], plane.split.cells[cell]), name(cell)
    assert abs(without.shares["approximation"].mean) < 1e-15


def test_products_of_marginals_agree_with_their_theory():
    """Assert the cells of a table with two columns, of which the limits are sums over types."""
    found = simulated_sources(TABLE, "kl_model_source", generations=2, chains=4000, level=LEVEL)
    assert {row.verdict for row in found.rows.values()} <= {"agree", "theory only"}
    assert found.rows[frozenset({"statistical", "expressivity"})].verdict == "agree"


@pytest.mark.parametrize("family", [IsotropicGaussian(), GraphicalGaussian([]), LowRankGaussian(1)], ids=str)
def test_restricted_families_are_drawn_and_fitted(family):
    """Assert that with many points the first model is the projection: its KL from the source is the divergence."""
    if isinstance(family, LowRankGaussian):
        source = MultivariateGaussian([0, 0, 0], [[9, 0, 0], [0, 4, 0], [0, 0, 1]])
    else:
        source = TIED
    loop = Loop(family, source=source, estimator=Unbiased(), samples=1000)
    found = simulated_sources(loop, "kl_source_model", generations=1, chains=64, level=LEVEL)
    row = found.rows[frozenset({"statistical", "expressivity"})]
    assert row.simulated is not None
    assert row.simulated.mean == pytest.approx(float(family.divergence(source)), abs=0.01)
    assert row.verdict == "simulated only"
    assert "Wishart" in row.reason


def test_mixtures_stand_in_for_infinitely_many_points():
    """Assert that a mixture fitted by one normal law has a table, in which no row claims more than it shows."""
    source = Mixture(2, weights=(HALF, HALF), means=[-2, 2], variances=[1, 1])
    loop = Loop(Gaussian(), source=source, samples=50)
    with pytest.raises(NotClosed, match="many="):
        simulated_sources(loop, "nll", generations=1, chains=128)
    found = simulated_sources(loop, "nll", generations=1, chains=128, many=400, level=LEVEL)
    narrow, own = (found.rows[cell] for cell in (frozenset({"expressivity"}), frozenset()))
    assert narrow.theory == pytest.approx(float(log(2 * pi * E * 5) / 2))
    assert own.verdict == "simulated only"
    assert "400 samples stand for infinitely many" in own.reason
    assert own.simulated is not None
    assert own.simulated.mean == pytest.approx(line(source).entropy, abs=0.03)
    assert "skewed" in str(Estimate(1.0, np.inf, 3.0))


def run_of(**variables):
    """A run of one chain and one generation."""
    dims = {0: (), 1: ("coordinate",), 2: ("coordinate", "column")}
    return xr.Dataset(
        {
            key: (("chain", "generation", *dims[np.ndim(v)]), np.array([[v]], dtype=float))
            for key, v in variables.items()
        }
    )


METRICS = ["kl_source_model", "kl_model_source", "nll", "entropy", "w2", "log_variance"]


@pytest.mark.parametrize("metric", METRICS)
def test_metrics_of_one_coordinate_are_those_of_a_line(metric):
    """Assert that a matrix of one entry gives what a variance gives."""
    flat = run_of(mu=0.3, V=0.5, log_V=np.log(0.5))
    deep = run_of(mu=[0.3], Sigma=[[0.5]])
    line_loop, joint = Loop(Gaussian(1, 2)), Loop(MultivariateGaussian([1], [[2]]))
    assert measured(line_loop, metric, flat) == pytest.approx(measured(joint, metric, deep))


@pytest.mark.parametrize("metric", METRICS)
def test_metrics_against_a_normal_law_told_as_a_density_are_the_closed_ones(metric):
    """Assert quadratures: a mixture of two equal normal laws is a normal law."""
    run = run_of(mu=0.3, V=0.5, log_V=np.log(0.5))
    told = Mixture(2, weights=(HALF, HALF), means=[1, 1], variances=[2, 2])
    found = measured(Loop(Gaussian(), source=told), metric, run)
    assert found == pytest.approx(measured(Loop(Gaussian(1, 2)), metric, run), rel=1e-7)


QUANTILES = {
    Laplace(0, 1): laplace.ppf,
    StudentT(5): t(5).ppf,
    UniformOn(-1, 1): uniform(-1, 2).ppf,
    Exponential(1): expon.ppf,
}


@pytest.mark.parametrize(("source", "quantile"), QUANTILES.items(), ids=map(str, QUANTILES))
def test_quadratures_against_definitions(source, quantile):
    """Assert W_2^2 = int (F^-1 - G^-1)^2 and KL(source || model) = int f log(f/g), as they are written."""
    run, law = run_of(mu=0.2, V=1.5, log_V=np.log(1.5)), line(source)
    loop, model = Loop(Gaussian(), source=source), norm(0.2, 1.5**0.5)

    def integrand(x):
        f = np.exp(law.log_density(x))
        return f * (law.log_density(x) - model.logpdf(x)) if f > 0 else 0.0

    wanted = quad(integrand, *law.ends, points=[law.mean], limit=400)[0]
    assert measured(loop, "kl_source_model", run) == pytest.approx(wanted, rel=1e-6)
    squares = quad(lambda z: norm.pdf(z) * (quantile(norm.cdf(z)) - 0.2 - 1.5**0.5 * z) ** 2, -8, 8, limit=400)[0]
    assert measured(loop, "w2", run)[0, 0] == pytest.approx(squares, rel=1e-6)


def test_frequencies_have_their_metrics():
    """Assert KL both ways, entropy and support of (1/2, 1/2, 0) against (1/4, 1/4, 1/2)."""
    run = xr.Dataset({"p": (("chain", "generation", "type"), np.array([[[0.5, 0.5, 0.0]]]))})
    loop = Loop(Categorical([Rational(1, 4), Rational(1, 4), HALF]))
    found = {metric: measured(loop, metric, run)[0, 0] for metric in ("kl_model_source", "entropy", "support")}
    assert found == pytest.approx({"kl_model_source": np.log(2), "entropy": np.log(2), "support": 2})
    assert np.isinf(measured(loop, "kl_source_model", run)[0, 0])
    with pytest.raises(NotClosed, match="w2 is not measured"):
        measured(loop, "w2", run)
    with pytest.raises(ValueError, match="metric = 'kl'"):
        measured(loop, "kl", run)


def test_verdicts_say_what_was_compared():
    """Assert the four verdicts of a row."""
    sharp, blunt = Estimate(1.0, 0.01, 4.0), Estimate(1.0, 0.5, 4.0)
    row = Row(frozenset(), 1.01, "", sharp, 1.0, 0.1, 0.9)
    assert row.verdict == "agree"
    assert evolve(row, theory=1.2).verdict == "disagree"
    assert evolve(row, simulated=blunt).verdict == "underpowered"
    assert evolve(row, theory=None).verdict == "simulated only"
    assert evolve(row, simulated=None).verdict == "theory only"


def test_the_table_and_the_figure_show_every_cell(plane):
    """Assert all eight names in the text and in the figure, and a waterfall that ends at the total."""
    assert all(f"\n{name(cell)} " in str(plane) for cell in CELLS)
    figure = draw(plane)
    waterfall, cells = figure.axes
    assert [label.get_text() for label in cells.get_xticklabels()] == [name(cell) for cell in CELLS]
    bars: list = list(waterfall.patches)
    tops = [bar.get_y() + bar.get_height() for bar in bars]
    assert tops[-1] == pytest.approx(plane.rows[CELLS[0]].value + plane.total.mean)
    assert r"\text{SEA}" in plane._repr_latex_()


def test_a_loop_of_infinitely_many_points_has_no_statistical_share():
    """Assert the share 0 where the source is off already."""
    found = simulated_sources(evolve(PLANE, samples=oo), "kl_source_model", generations=2, chains=4)
    assert found.shares["statistical"].mean == 0
