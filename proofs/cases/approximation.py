"""The learning procedure and the sampling: estimators off their aim, steps that stop short, distorted draws."""

from attrs import evolve
from sympy import Add, Rational, Symbol, log, oo

from proofs.cases.case import Case
from theory import (
    EM,
    NUTS,
    SGD,
    SVI,
    Adam,
    Bernoulli,
    Categorical,
    Damped,
    FixedDesignRegression,
    Floor,
    Gaussian,
    GradientDescent,
    GradientSteps,
    LinearRegression,
    Loop,
    M,
    MinMSE,
    MinP,
    Mixture,
    PosteriorDraw,
    Quantised,
    Ridge,
    Scaled,
    Shrinkage,
    Tempered,
    TopK,
    TopP,
    Truncated,
    Unbiased,
    UnbiasedFor,
    VarianceFactor,
    c,
    tau,
)
from theory.procedures import PosteriorPredictive

HALF, TENTH = Rational(1, 2), Rational(1, 10)
UNIT = {"mu0": 0, "V0": 1, "M": 20}
LAW = [Rational(x, 10) for x in (4, 3, 2, 1)]
TWO = Mixture(2, weights=["1/4", "3/4"], means=[-2, 2], variances=[1, 1])


eta, h, k, lam, prior, w = (Symbol(name, positive=True) for name in ("eta", "h", "k", "lam", "a", "w"))


def _gaussian(title, of=Gaussian.V, at=None, **axes):
    return Case(title, "approximation", lambda: Loop(Gaussian(), **axes), of, UNIT | (at or {}))


def _estimators():
    V, logs, nine = Gaussian.V, log(Gaussian.V), Rational(9, 10)
    yield _gaussian("biased estimator: least squared error", estimator=MinMSE())
    yield _gaussian("biased estimator: unbiased for sigma", estimator=UnbiasedFor(HALF))
    yield _gaussian("biased estimator: a multiple c", estimator=Scaled(c), at={"c": nine})
    yield _gaussian("biased estimator: a multiple c, log variance", logs, estimator=Scaled(c), at={"c": nine})
    yield _gaussian("biased estimator alone (M = oo)", estimator=Scaled(c), samples=oo, at={"c": nine})
    yield _gaussian("shrinkage to the source", V**2, estimator=Shrinkage(w, Unbiased()), at={"w": TENTH})
    map_ = Shrinkage(prior / (prior + M))
    yield _gaussian("maximum a posteriori, a prior worth a points", estimator=map_, at={"a": 5})
    square = (Bernoulli.p - HALF) ** 2
    yield Case(
        "Bernoulli, posterior mean",
        "approximation",
        lambda: Loop(Bernoulli(HALF), estimator=map_),
        square,
        {"a": 5, "M": 20},
    )
    yield _gaussian("a constant floor (reg_covar)", estimator=Floor(eta), at={"eta": TENTH})
    yield _gaussian("a constant floor alone (M = oo)", estimator=Floor(eta), samples=oo, at={"eta": TENTH})
    yield _gaussian("quantised parameters", estimator=Quantised(Rational(1, 16)))
    yield _gaussian("posterior draw", estimator=PosteriorDraw())
    yield _gaussian("posterior draw: log variance", logs, estimator=PosteriorDraw())
    yield _gaussian("posterior predictive", estimator=PosteriorPredictive())


def _steps():
    tenth = {"eta": TENTH}
    yield _gaussian("damped step", estimator=Damped(k), at={"k": HALF})
    yield _gaussian("full-batch gradient steps on V", estimator=GradientSteps(3, eta), at={"eta": Rational(1, 4)})
    yield _gaussian("one full-batch step on log V", estimator=GradientSteps(1, eta, on="log V"), at=tenth)
    yield _gaussian("three full-batch steps on log V", estimator=GradientSteps(3, TENTH, on="log V"), at=tenth)
    yield _gaussian("minibatch SGD, warm start", estimator=SGD(20, TENTH, batch=5))
    yield _gaussian("minibatch SGD, cold start", estimator=SGD(20, TENTH, batch=5, start="source"))
    yield _gaussian("minibatch SGD with momentum", estimator=SGD(20, TENTH, batch=5, momentum=HALF))
    yield _gaussian("SGD stopped early", estimator=SGD(20, Rational(1, 5), patience=3))
    yield _gaussian("Adam", estimator=Adam(30, Rational(1, 20), batch=5))
    yield _gaussian("Adam stopped early", estimator=Adam(30, Rational(1, 20), batch=5, patience=3))
    yield _gaussian("NumPyro SVI, its median", estimator=SVI(30, Rational(1, 20)))
    yield _gaussian("NumPyro SVI, a draw", estimator=SVI(30, Rational(1, 20), report="draw"))
    nuts = _gaussian("NumPyro NUTS, a draw", estimator=NUTS(60), at={"M": 40})
    yield evolve(nuts, generations=2, effort=1 / 8, note="the raw data have draws from the posterior itself")
    for rounds in (1, 5):
        climb = EM(rounds, tolerance=0, start="k-means++")
        yield Case(
            f"EM, {rounds} round{'s' * (rounds > 1)} from k-means++",
            "approximation",
            lambda climb=climb: Loop(TWO, estimator=climb, samples=60),
            "kl_source_model",
            generations=1,
            effort=1 / 2,
        )
    yield Case(
        "EM with a floor",
        "approximation",
        lambda: Loop(TWO, estimator=Floor(HALF), samples=60),
        Mixture.V,
        generations=2,
        effort=1 / 20,
    )


def _regressions():
    at = {"M": 10, "noise": 1}
    error = LinearRegression.squares - 2 * LinearRegression.w + 1
    away = Add(*((FixedDesignRegression.w[k] - 1) ** 2 for k in range(2)))
    for title, estimator in (
        ("ridge", Ridge(2)),
        ("gradient descent stopped early, cold", GradientDescent(2, Rational(1, 20))),
        ("gradient descent stopped early, warm", GradientDescent(2, Rational(1, 20), warm=True)),
    ):
        loop = Loop(LinearRegression(dimension=3, w0=1), estimator=estimator)
        yield Case(title, "approximation", lambda loop=loop: loop, error, at, effort=1 / 4)
        given = Loop(FixedDesignRegression([1, HALF], noise=1, weights=[1, 1]), estimator=estimator, samples=10)
        yield Case(f"{title}, one design", "approximation", lambda loop=given: loop, away, at)


def _samplings():
    yield _gaussian("temperature", sampling=Tempered(tau), estimator=Unbiased(), at={"tau": Rational(9, 10)})
    yield _gaussian("temperature alone (M = oo)", sampling=Tempered(tau), samples=oo, at={"tau": Rational(9, 10)})
    yield _gaussian("a variance factor", sampling=VarianceFactor(lam), at={"lam": Rational(11, 10)})
    yield _gaussian("truncation", sampling=Truncated(2), estimator=Unbiased())
    yield _gaussian("truncation alone (M = oo)", sampling=Truncated(2), estimator=Unbiased(), samples=oo)
    for title, sampling in (
        ("temperature", Tempered(HALF)),
        ("top-p", TopP(Rational(4, 5))),
        ("top-k", TopK(3)),
        ("min-p", MinP(Rational(7, 20))),
    ):
        loop = Loop(Categorical(LAW), sampling=sampling, samples=8)
        yield Case(f"{title} of types: support", "approximation", lambda loop=loop: loop, "support")
        yield Case(f"{title} of types: entropy", "approximation", lambda loop=loop: loop, "entropy")
        if not isinstance(sampling, MinP):  # a rare crossing of its threshold makes the mean of many points skewed
            off = loop.without("statistical")
            yield Case(f"{title} of types alone (M = oo): entropy", "approximation", lambda off=off: off, "entropy")


def cases() -> list[Case]:
    """Return the rows."""
    return [*_estimators(), *_steps(), *_regressions(), *_samplings()]
