"""Restricted Gaussians and products of marginals: projections, Pythagoras, and the values that theory gives cells."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import E, Matrix, Rational, diag, eye, log, oo, pi

from theory import (
    MLE,
    Categorical,
    Damped,
    DiagonalGaussian,
    Gaussian,
    GraphicalGaussian,
    IsotropicGaussian,
    Laplace,
    Loop,
    LowRankGaussian,
    MultivariateGaussian,
    NotClosed,
    ProductCategorical,
    Tempered,
    Unbiased,
    expect,
    risk,
)
from theory.cells import value_at
from theory.families.projected import ProjectedGaussian

HALF = Rational(1, 2)
WIDE = Matrix([[4, 1, HALF], [1, 3, -1], [HALF, -1, 2]])
SOURCE = MultivariateGaussian([1, 2, 3], WIDE.tolist())
FAMILIES = [
    IsotropicGaussian(),
    GraphicalGaussian([]),
    GraphicalGaussian([(0, 1)]),
    GraphicalGaussian([(0, 1), (1, 2)]),
    GraphicalGaussian([(0, 1), (1, 2), (0, 2)]),
]
SQUARES = st.lists(st.integers(-3, 3), min_size=9, max_size=9).map(lambda entries: Matrix(3, 3, entries))
ENTRIES = SQUARES.map(lambda root: root * root.T + eye(3))


def kl(one: Matrix, other: Matrix):
    """KL(N(m, one) || N(m, other))."""
    return ((other.inv() * one).trace() - one.rows + log(other.det()) - log(one.det())) / 2


@settings(max_examples=10)
@given(ENTRIES, ENTRIES, st.sampled_from(FAMILIES))
def test_projections_obey_pythagoras(covariance, other, family):
    """Assert KL(S || Q) = KL(S || S*) + KL(S* || Q) for every Q of the form, which makes S* the nearest."""
    star = family.restricted(covariance)
    inside = family.restricted(other)
    gap = (inside.inv() * covariance).trace() - (inside.inv() * star).trace()
    assert gap == 0
    assert (star.inv() * covariance).trace() == 3


@settings(max_examples=10)
@given(ENTRIES, st.sampled_from(FAMILIES))
def test_a_projection_of_itself_is_itself(covariance, family):
    """Assert that fits are idempotent, so that the error is paid once."""
    star = family.restricted(covariance)
    assert family.restricted(star) == star


def test_the_graph_decides_between_diagonal_and_full():
    """Assert no edges for the diagonal family and all edges for the source itself, and zeros where no edge is."""
    none, chain, full = FAMILIES[1], FAMILIES[3], FAMILIES[4]
    assert none.restricted(WIDE) == diag(4, 3, 2)
    assert full.restricted(WIDE) == WIDE
    assert chain.restricted(WIDE).inv()[0, 2] == 0
    assert chain.restricted(WIDE)[0, 1] == 1
    diagonal = DiagonalGaussian().divergence(SOURCE)
    assert (none.divergence(SOURCE) - diagonal).expand(log=True) == 0


def test_low_rank_keeps_the_largest_directions():
    """Assert Tipping and Bishop's eigenvalues, KL = ((d - q) log mean - sum of logs)/2, and trace and form."""
    turned = Matrix([[3, 4], [-4, 3]]) / 5
    spread = diag(turned, 1) * diag(9, 4, 1) * diag(turned, 1).T
    wide = MultivariateGaussian([0, 0, 0], spread.tolist())
    star = LowRankGaussian(1).restricted(spread)
    assert sorted(star.eigenvals(multiple=True)) == [Rational(5, 2)] * 2 + [9]
    assert LowRankGaussian(1).divergence(wide) == log(Rational(25, 16)) / 2
    assert LowRankGaussian(0).restricted(WIDE) == IsotropicGaussian().restricted(WIDE)
    assert LowRankGaussian(2).restricted(spread) == spread


def test_low_rank_is_nearest_among_those_that_keep_other_directions():
    """Assert that keeping 8 costs more than keeping 9, of the eigenvalues 9, 8 and 1."""
    nine, eight = diag(9, Rational(9, 2), Rational(9, 2)), diag(5, 8, 5)
    wide = diag(9, 8, 1)
    assert kl(wide, nine).n() < kl(wide, eight).n()
    found = LowRankGaussian(1).divergence(MultivariateGaussian([0, 0, 0], wide.tolist()))
    assert abs((found - kl(wide, nine)).n(30)) < 1e-25


def test_irrational_eigenvalues_are_algebraic_numbers():
    """Assert the form of a matrix whose eigenvalues are roots of a cubic: its trace, and two equal eigenvalues."""
    star = LowRankGaussian(1).restricted(WIDE)
    values = sorted(np.linalg.eigvalsh(np.array(star.n(20), dtype=float)))
    largest = max(np.linalg.eigvalsh(np.array(WIDE, dtype=float)))
    assert values == pytest.approx([(9 - largest) / 2] * 2 + [largest], rel=1e-12)


def test_tied_directions_are_refused():
    """Assert that of two equal eigenvalues neither is kept before the other, unless it makes no difference."""
    with pytest.raises(NotClosed, match="none comes first"):
        LowRankGaussian(1).restricted(diag(4, 4, 1))
    assert LowRankGaussian(2).restricted(diag(5, 2, 2)) == diag(5, 2, 2)


@pytest.mark.parametrize("family", FAMILIES[:4], ids=str)
@pytest.mark.parametrize("metric", ["kl_source_model", "kl_model_source", "nll", "entropy", "log_variance"])
def test_infinitely_many_points_scale_the_projection(family: ProjectedGaussian, metric: str):
    """Assert each metric between N(m, S) and N(m, tau^n S*) for tempered sampling, written out."""
    n, tau, d = 3, Rational(3, 2), 3
    model = tau**n * family.restricted(WIDE)
    entropy = (d * log(2 * pi * E) + log(WIDE.det())) / 2
    wanted = {
        "kl_source_model": kl(WIDE, model),
        "kl_model_source": kl(model, WIDE),
        "nll": kl(WIDE, model) + entropy,
        "entropy": (d * log(2 * pi * E) + log(model.det())) / 2,
        "log_variance": log(model.det()),
    }[metric]
    loop = Loop(family, source=SOURCE, sampling=Tempered(tau), estimator=Unbiased(), samples=oo)
    assert abs((value_at(loop, metric, n) - wanted).n(25)) < 1e-20


JOINT = [Rational(k, 21) for k in (1, 2, 3, 4, 5, 6)]
PAIRS = ProductCategorical((2, 3))
TABLE = Loop(PAIRS, source=Categorical(JOINT), samples=2)


def samples(chances, size):
    """Yield (probability, sample) over all samples of a law on 0..K-1."""
    for sample in product(range(len(chances)), repeat=size):
        weight = Rational(1)
        for x in sample:
            weight *= chances[x]
        yield weight, sample


def margins(sample):
    """Return the frequencies of the first and the second column of a sample of joint types."""
    size = len(sample)
    rows = [Rational(sum(x // 3 == i for x in sample), size) for i in range(2)]
    return rows, [Rational(sum(x % 3 == j for x in sample), size) for j in range(3)]


def brute(value, generations):
    """Return E value(rows, columns) of model n by enumerating every sample of every generation."""
    models: dict = {None: Rational(1)}
    for _ in range(generations):
        after: dict = {}
        for model, chance in models.items():
            joint = JOINT if model is None else [p * q for p in model[0] for q in model[1]]
            for weight, sample in samples(joint, 2):
                rows, columns = margins(sample)
                key = tuple(rows), tuple(columns)
                after[key] = after.get(key, 0) + chance * weight
        models = after
    return sum(chance * value(*model) for model, chance in models.items())


@pytest.mark.parametrize("generation", [1, 2])
def test_columns_are_tied_by_the_source_alone(generation):
    """Assert E p_0(i) p_1(j) and the metrics of product models against every sample of two points."""
    p = PAIRS.p
    found = expect(TABLE, p[0, 1] * p[1, 2]).values(generation)[generation]
    assert found == brute(lambda rows, columns: rows[1] * columns[2], generation)
    square = expect(TABLE, p[1, 0] ** 2 + p[0, 0]).values(generation)[generation]
    assert square == brute(lambda rows, columns: columns[0] ** 2 + rows[0], generation)


def entropy_of(chances):
    """-sum p log p."""
    return -sum(p * log(p) for p in chances if p != 0)


@pytest.mark.parametrize("generation", [1, 2])
def test_metrics_of_products_are_those_of_every_sample(generation):
    """Assert entropy and KL(model || source)."""
    wanted = brute(lambda rows, columns: entropy_of(rows) + entropy_of(columns), generation)
    assert abs((value_at(TABLE, "entropy", generation) - wanted).n(25)) < 1e-20

    def divergence(rows, columns):
        pairs = zip((p * q for p in rows for q in columns), JOINT, strict=True)
        return sum(p * log(p / q) for p, q in pairs if p != 0)

    assert abs((value_at(TABLE, "kl_model_source", generation) - brute(divergence, generation)).n(25)) < 1e-20


def test_the_total_correlation_is_paid_once():
    """Assert KL(joint || product) at samples = oo for ever, by its sum."""
    rows, columns = [Rational(6, 21), Rational(15, 21)], [Rational(k, 21) for k in (5, 7, 9)]
    wanted = sum(p * log(p / (rows[k // 3] * columns[k % 3])) for k, p in enumerate(JOINT))
    loop = Loop(PAIRS, source=Categorical(JOINT), samples=oo)
    assert all(abs((value_at(loop, "kl_source_model", n) - wanted).n(25)) < 1e-20 for n in (1, 4))
    assert ProductCategorical((2, 2)).divergence(Categorical([HALF, 0, 0, HALF])) == log(2)


def test_one_column_is_a_categorical_loop():
    """Assert that support, entropy and KL(model || source) of one column are those of the categorical family."""
    source = Categorical([Rational(1, 6), Rational(1, 3), HALF])
    one, plain = Loop(ProductCategorical((3,)), source=source, samples=3), Loop(source, samples=3)
    for metric in ("entropy", "kl_model_source"):
        assert (value_at(one, metric, 2) - value_at(plain, metric, 2)).simplify() == 0
    assert value_at(plain, "support", 1) == 3 - sum((1 - p) ** 3 for p in (Rational(1, 6), Rational(1, 3), HALF))


def test_an_exact_fit_of_everything_is_the_source():
    """Assert no distance and the source's own entropy at samples = oo, whatever the family."""
    for family in (Gaussian(0, 2), Laplace(0, 1), SOURCE, Categorical(JOINT)):
        loop = Loop(family, samples=oo)
        assert value_at(loop, "kl_source_model", 3) == 0
    assert value_at(Loop(Laplace(0, 1), samples=oo), "nll", 3) == 1 + log(2)
    assert value_at(Loop(SOURCE, samples=oo), "log_variance", 3) == log(WIDE.det())
    assert value_at(Loop(Categorical(JOINT), samples=oo), "support", 3) == 6
    assert value_at(Loop(Gaussian(0, 1), estimator=Damped(HALF, MLE()), samples=oo), "kl_source_model", 2) == 0
    assert risk(Loop(Gaussian(0, 1), samples=oo)).at(n=2) == 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda: value_at(Loop(IsotropicGaussian(), source=SOURCE, samples=9), "nll", 1), "Wishart"),
        (lambda: value_at(Loop(IsotropicGaussian(), source=SOURCE, samples=oo), "w2", 1), "W_2"),
        (lambda: value_at(TABLE, "kl_source_model", 1), "infinite once"),
        (lambda: value_at(Loop(ProductCategorical((2, 2)), source=Categorical([HALF, 0, 0, HALF]), samples=2),
                          "kl_model_source", 1), "lacks"),
        (lambda: expect(TABLE, PAIRS.p[0, 0] ** 2 * PAIRS.p[1, 0]), "mixes columns"),
        (lambda: GraphicalGaussian([(0, 1), (1, 2), (2, 3), (3, 0)]).pieces(4), "without a chord"),
    ],
)  # fmt: skip
def test_what_has_no_value_is_refused(asked, words):
    """Assert a refusal with its reason."""
    with pytest.raises(NotClosed, match=words):
        asked()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: LowRankGaussian(-1), "rank = -1"),
        (lambda: Loop(LowRankGaussian(3), source=SOURCE), "leaves no noise"),
        (lambda: GraphicalGaussian([(0, 0)]), "no edge"),
        (lambda: Loop(GraphicalGaussian([(0, 7)]), source=SOURCE), "outside the 3"),
        (lambda: ProductCategorical(()), "levels"),
        (lambda: Loop(ProductCategorical((2, 2)), source=Categorical(JOINT)), "make 4"),
        (lambda: Loop(IsotropicGaussian(), source=Laplace()), "IsotropicGaussian does not know"),
    ],
)
def test_what_is_no_family_is_refused(made, words):
    """Assert a sentence about a wrong argument."""
    with pytest.raises(ValueError, match=words):
        made()
