"""Sources and observables of the multivariate Gaussian loop, and what is refused."""

import pytest
from sympy import (
    Determinant,
    Identity,
    ImmutableMatrix,
    IndexedBase,
    Matrix,
    MatrixSymbol,
    Rational,
    Symbol,
    Trace,
    digamma,
    expand_log,
    log,
    oo,
    polygamma,
)

from proofs.testing.equality import vanishes
from theory import (
    Accumulate,
    Floor,
    Gaussian,
    GradientSteps,
    Loop,
    Mixed,
    MultivariateGaussian,
    NotClosed,
    PosteriorDraw,
    PosteriorPredictive,
    Subsample,
    Tempered,
    Truncated,
    alpha,
    expect,
    n,
    tau,
)
from theory.reader import Reader
from theory.symbols import d

Full = MultivariateGaussian

mu, Sigma, mu0, Sigma0 = Full.mu, Full.Sigma, Full.mu0, Full.Sigma0

shift = mu - mu0

det = Determinant(Sigma)

HALF = Rational(1, 2)

PLANE = Full([0, 1], [[2, 1], [1, 3]])


def settled(expr):
    """Normal form with digammas and logarithms taken apart."""
    expr = expr.rewrite(polygamma).replace(log, lambda x: log(x.factor()))
    return expand_log(expr, force=True).expand().together().cancel()


def test_numbers_and_symbols_agree():
    """Assert that a source in numbers gives what a source in symbols gives with those numbers put in."""
    A = ImmutableMatrix([[2, 1], [1, 5]])
    mean, covariance = ImmutableMatrix(PLANE.mean), PLANE.covariance
    fixed = Trace(A * Sigma * A * Sigma)
    for of in (Trace(Sigma**3), fixed, det * Trace(Sigma), Trace(Sigma.I) ** 2, Trace(mu * mu.T)):
        symbolic = expect(Loop(Full(dimension=2), samples=9), of).expression
        put = symbolic.xreplace({Sigma0: covariance, mu0: mean}).doit()
        assert all(vanishes((expect(Loop(PLANE, samples=9), of).expression - put).subs(n, k)) for k in range(3))


def test_observables_are_read_as_matrix_expressions():
    """Assert that what is equal as a matrix expression is read as the same letters."""
    A, B = (MatrixSymbol(name, d, d) for name in "AB")
    read = Reader()
    assert read(Trace(A * Sigma * B)) == read(Trace(B * A * Sigma)) == read(Trace(Sigma * A * B))
    assert vanishes(read(Trace((A + 2 * Sigma) ** 2)) - read(Trace(A**2) + 4 * Trace(A * Sigma) + 4 * Trace(Sigma**2)))
    assert read(Trace(Sigma.I * Sigma * A)) == read(Trace(A * Identity(d)))
    assert vanishes(read(Trace(shift * shift.T * A)) - read(Trace(shift.T * A * shift)))
    v = ImmutableMatrix([1, -2])
    assert read(Trace(v * v.T * Sigma) ** 2) == read(Trace(v * v.T * Sigma * v * v.T * Sigma))


def test_entries_of_a_run_are_read():
    """Assert that entries written with indexed bases, as a recorded run names them, are the same observables."""
    entry, point = IndexedBase("Sigma"), IndexedBase("mu")
    of = entry[0, 1] * point[0] ** 2
    assert vanishes(expect(Loop(PLANE), of).expression - expect(Loop(PLANE), Sigma[0, 1] * mu[0] ** 2).expression)
    assert expect(Loop(PLANE), mu[0] ** 2 + mu[1]).values(0) == [1]
    for foreign in (Gaussian.V, log(Gaussian.V) * Trace(Sigma), Gaussian.mu, Symbol("Sigma")):
        with pytest.raises(NotClosed, match="no number"):
            expect(Loop(PLANE), foreign)


def test_names_of_letters_never_meet():
    """Assert that a matrix called A_B is not the product of A and B, nor invSigma the inverse of Sigma."""
    A, B, both, inverse = (MatrixSymbol(name, d, d) for name in ("A", "B", "A_B", "invSigma"))
    read = Reader()
    assert read(Trace(Sigma * both)) != read(Trace(Sigma * A * B))
    assert read(Trace(A * inverse)) != read(Trace(A * Sigma.I))


def test_dimension_is_put_in_by_name():
    """Assert that .at(d=...) derives again with the dimension as a number."""
    found = expect(Loop(Full()), log(det)).at(d=2, M=5)
    assert found.loop.family.dimension == 2
    steps = digamma(Rational(4, 2)) + digamma(Rational(3, 2)) + 2 * log(Rational(2, 5))
    assert settled(found.expression - n * steps - log(Determinant(Sigma0))) == 0


def test_population_limit():
    """Assert that without statistical error traces scale with the temperature alone and the determinant with tau^d."""
    loop, covariance = Loop(PLANE, samples=oo, sampling=Tempered(tau)), ImmutableMatrix(PLANE.covariance)
    assert vanishes(expect(loop, Trace(Sigma**2)).expression - tau ** (2 * n) * (covariance**2).trace())
    assert vanishes(expect(loop, det).expression - tau ** (2 * n) * covariance.det())


ATTEMPTS = {
    "inverse, accumulate": (Loop(Full(), regime=Accumulate()), Trace(Sigma.I), "regime or estimator"),
    "determinant, mixed": (Loop(Full(), regime=Mixed(alpha)), det, "regime or estimator"),
    "determinant, floor": (Loop(Full(), estimator=Floor(1)), det, "regime or estimator"),
    "power of a trace": (Loop(Full()), 1 / Trace(Sigma), "family: powers"),
    "logarithm of a trace": (Loop(Full()), log(Trace(Sigma)), "family: powers"),
    "matrix and inverse": (Loop(Full()), Trace(Sigma) * Trace(Sigma.I), "its inverse"),
    "third power of a log": (Loop(Full()), log(det) ** 3, "dimension as a number"),
    "subsample": (Loop(Full(), regime=Subsample()), Trace(Sigma), "regime"),
    "kept": (Loop(Full(), regime=Mixed(HALF, fresh=False)), Trace(Sigma), "regime"),
    "bernoulli": (Loop(Full(), regime=Mixed(HALF, count="bernoulli")), Trace(Sigma), "regime"),
    "truncated": (Loop(Full(), sampling=Truncated(2)), Trace(Sigma), "sampling"),
    "posterior": (Loop(Full(), estimator=PosteriorDraw()), Trace(Sigma), "estimator"),
    "predictive": (Loop(Full(), estimator=PosteriorPredictive()), Trace(Sigma), "estimator"),
    "log steps": (Loop(Full(), estimator=GradientSteps(1, HALF, on="log V")), Trace(Sigma), "estimator"),
    "truncated direction": (Loop(Full(), sampling=Truncated(2)), Sigma[0, 0], "sampling"),
    "posterior direction": (Loop(Full(), estimator=PosteriorDraw()), Sigma[0, 0], "estimator"),
    "predictive direction": (Loop(Full(), estimator=PosteriorPredictive()), Sigma[0, 0], "estimator"),
    "log steps, direction": (Loop(Full(), estimator=GradientSteps(1, HALF, on="log V")), Sigma[0, 0], "estimator"),
    "determinant of a sum": (Loop(Full()), Determinant(Sigma + Sigma0), "observable"),
    "not symmetric": (Loop(PLANE), Trace(Matrix([[1, 1], [0, 1]]) * Sigma), "not symmetric"),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_what_does_not_close_is_refused_by_name(name):
    """Assert NotClosed with the axis in the sentence, and never an answer."""
    loop, of, words = ATTEMPTS[name]
    with pytest.raises(NotClosed, match=words):
        expect(loop, of)


def test_wrong_sources_are_refused():
    """Assert ValueError for a mean alone, a dimension that is none, and a coordinate beyond the last."""
    with pytest.raises(ValueError, match="2 means and a covariance of 0 rows"):
        Full([0, 1])
    with pytest.raises(ValueError, match="dimension = 0"):
        Full(dimension=0)
    with pytest.raises(ValueError, match="coordinate 2 does not exist"):
        expect(Loop(PLANE), Sigma[0, 2])
    for name in ("delta", "W_model", "A_", "a b"):
        with pytest.raises(ValueError, match="matrix name"):
            expect(Loop(Full()), Trace(MatrixSymbol(name, d, d) * Sigma))
    with pytest.raises(ValueError, match="no scalar"):
        expect(Loop(PLANE), Trace(mu * Sigma))
