"""What a correlated source ties together in a diagonal loop: products of two means, and KL(model || source)."""

from collections.abc import Iterable

import pytest
from sympy import Integer, Matrix, Rational, log, oo

from theory import (
    Accumulate,
    DiagonalGaussian,
    Gaussian,
    Laplace,
    Loop,
    Mixed,
    MultivariateGaussian,
    NotClosed,
    Schedule,
    Shrinkage,
    Subsample,
    Tempered,
    Unbiased,
    Weighted,
    expect,
    risk,
)

HALF, THIRD = Rational(1, 2), Rational(1, 3)
TIED, SIZE = Rational(3, 5), 4
MEANS, COVARIANCE = (1, 2), Matrix([[1, TIED], [TIED, 2]])
SOURCE = MultivariateGaussian(MEANS, COVARIANCE.tolist())
PRECISION = COVARIANCE.inv()
MU, V = DiagonalGaussian.mu, DiagonalGaussian.V
CROSS = (MU[0] - 1) * (MU[1] - 2)


def errors(parts: Iterable[tuple[object, Rational]]) -> dict:
    """Return sum of weight * error, where an error is {name of a real batch: weight}."""
    total: dict = {}
    for error, weight in parts:
        for name, w in error.items():  # type: ignore[attr-defined]
            total[name] = total.get(name, 0) + weight * w
    return total


def replaced(fits):
    """Fit 1 is the mean of the real batch 1; later fits add errors that coordinates do not share."""
    return [{1: Integer(1)}] * fits


def accumulated(fits):
    """The pool's mean: each batch is centred at the model before it."""
    models, batches = [], []
    for _ in range(fits):
        batches.append(models[-1] if models else {1: Integer(1)})
        models.append(errors((batch, Rational(1, len(batches))) for batch in batches))
    return models


def mixed(fits, share, fresh=True):
    """A share of real points, of which every fit has its own set or all have the first."""
    models: list[dict] = []
    for k in range(fits):
        real = {("real", k if fresh else 0): Integer(1)}
        model = models[-1] if models else {"first": Integer(1)}
        models.append(errors([(real, share), (model, 1 - share)]))
    return models


def shrunk(fits, weight):
    """mu' = (1 - w) xbar + w mu0: errors shrink."""
    models = [{1: Integer(1)}]
    for _ in range(fits):
        models.append(errors([(models[-1], 1 - weight)]))
    return models[1:]


def covariances(models, sizes):
    """Return E[(mu_0 - 1)(mu_1 - 2)] = sum over real batches of w^2 S_01/m."""
    return [sum(w**2 * TIED / sizes(name) for name, w in model.items()) for model in models]


def half(name):
    del name
    return SIZE * HALF


LOOPS = {
    "replace": ({}, replaced(3), lambda _: SIZE),
    "schedule": ({"regime": Schedule([2, 5, 9])}, replaced(3), lambda _: 2),
    "accumulate": ({"regime": Accumulate()}, accumulated(3), lambda _: SIZE),
    "mixed": ({"regime": Mixed(HALF)}, mixed(3, HALF), half),
    "kept": ({"regime": Mixed(HALF, fresh=False)}, mixed(3, HALF, fresh=False), half),
    "weighted": ({"regime": Weighted(THIRD)}, mixed(3, THIRD), half),
    "shrunk": ({"estimator": Shrinkage(THIRD)}, shrunk(3, THIRD), lambda _: SIZE),
}


@pytest.mark.parametrize("name", LOOPS)
def test_products_of_means_come_from_real_points_alone(name):
    """Assert E[(mu_i - mu0_i)(mu_j - mu0_j)] against the weights that each fit gives to the real batches."""
    axes, models, sizes = LOOPS[name]
    found = expect(Loop(DiagonalGaussian(), source=SOURCE, samples=SIZE, **axes), CROSS).values(3)
    assert found == [0, *covariances(models, sizes)]


def test_slipped_weights_are_noticed():
    """Assert that a share of 1/2 for 1/3 is no answer."""
    found = expect(Loop(DiagonalGaussian(), source=SOURCE, regime=Weighted(THIRD), samples=SIZE), CROSS).values(3)
    assert found != [0, *covariances(mixed(3, HALF), half)]


def test_bernoulli_points_are_tied_as_they_are_shared():
    """Assert E cross_n = (1 - a)^2 E cross + (a S + a (1 - a) E cross)/M for points that are real by chance."""
    a, wanted = THIRD, [Integer(0), TIED / SIZE]
    for _ in range(2):
        wanted.append((1 - a) ** 2 * wanted[-1] + (a * TIED + a * (1 - a) * wanted[-1]) / SIZE)
    loop = Loop(DiagonalGaussian(), source=SOURCE, regime=Mixed(a, count="bernoulli"), samples=SIZE)
    assert expect(loop, CROSS).values(3) == wanted


def test_a_temperature_widens_the_first_draw():
    """Assert tau S_ij/M: the first fit sees the tempered source, and later errors are not shared."""
    loop = Loop(DiagonalGaussian(), source=SOURCE, sampling=Tempered(2), samples=SIZE)
    assert expect(loop, CROSS).values(2) == [0, 2 * TIED / SIZE, 2 * TIED / SIZE]


def test_without_a_correlated_source_coordinates_stay_apart():
    """Assert E[mu_0 mu_1] = E mu_0 E mu_1 for a source of the family."""
    assert expect(Loop(DiagonalGaussian([1, 2], [1, 1]), samples=SIZE), CROSS).values(3) == [0] * 4


def test_divergence_from_a_correlated_source_by_hand():
    """Assert 2 KL = tr(P (D + d d')) - 2 + log det S - sum E log V_i, its moments one by one."""
    loop = Loop(DiagonalGaussian(), source=SOURCE, estimator=Unbiased(), samples=SIZE)
    coordinates = [
        expect(loop, PRECISION[k, k] * (V[k] + (MU[k] - MEANS[k]) ** 2) - log(V[k])).values(2) for k in (0, 1)
    ]
    cross = expect(loop, CROSS).values(2)
    found = risk(loop, "kl_model_source").values(2)
    constant = log(COVARIANCE.det()) - 2
    for k in (1, 2):
        wanted = (coordinates[0][k] + coordinates[1][k] + 2 * PRECISION[0, 1] * cross[k] + constant) / 2
        assert abs((found[k] - wanted).n(30)) < 1e-25
    assert found[0] == 0


def test_its_population_limit_is_the_divergence_of_the_projection():
    """Assert KL(diag || N) = (sum P_ii S_ii - d + log det S - sum log S_ii)/2 at samples = oo."""
    found = risk(Loop(DiagonalGaussian(), source=SOURCE, samples=oo), "kl_model_source").values(2)
    covariance = COVARIANCE
    trace = sum(PRECISION[k, k] * covariance[k, k] for k in (0, 1))
    wanted = (trace - 2 + log(covariance.det()) - sum(log(covariance[k, k]) for k in (0, 1))) / 2
    assert [abs((value - wanted).n(30)) < 1e-25 for value in found[1:]] == [True, True]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda: expect(Loop(DiagonalGaussian(), source=SOURCE), MU[0] ** 2 * MU[1]), "mixes coordinates"),
        (lambda: expect(Loop(DiagonalGaussian(), source=SOURCE), V[0] * V[1]), "mixes coordinates"),
        (lambda: expect(Loop(DiagonalGaussian(), source=SOURCE, regime=Subsample()), CROSS), "without replacement"),
        (lambda: expect(Loop(DiagonalGaussian(), source=SOURCE), MU[0] * MU[1] / V[0]), "mixes"),
        (lambda: risk(Loop(DiagonalGaussian(), source=SOURCE), "w2"), "W2 to a MultivariateGaussian source"),
        (lambda: risk(Loop(Gaussian(), source=Laplace()), "kl_model_source"), "Laplace source"),
    ],
)
def test_what_is_not_closed_is_refused(asked, words):
    """Assert a refusal where coordinates mix in another way."""
    with pytest.raises(NotClosed, match=words):
        asked()
