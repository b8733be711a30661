"""The claims of the main job, as data: which loops on which real input, and what theory says about them.

An `Experiment` is one run; its claims are read off that run. Nothing is simulated here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import xarray as xr
from attrs import field, frozen
from sympy import Expr, Function, Indexed, IndexedBase, Rational, Sum, Symbol, log, sign

from numerics.absorption.large import large_absorption
from numerics.absorption.large_chain import LargeChain
from theory import (
    MLE,
    Accumulate,
    Categorical,
    DiagonalGaussian,
    Gaussian,
    Loop,
    Mixed,
    MultivariateGaussian,
    Replace,
    Scaled,
    Tempered,
    Unbiased,
    alpha,
    c,
    expect,
    mu0,
    risk,
    symbols,
    tau,
)
from theory.certificate import Certificate

Source = Literal["statistical", "expressivity", "approximation", "all"]
SPREAD = (Gaussian.mu - mu0) ** 2
"""(mu - mu0)^2, whose expectation is Var mu_n, since E mu_n = mu0."""


class Derived(Protocol):
    """What theory answers: a closed form, its values by generation, and its certificates (none for a tested
    algorithm).
    """

    @property
    def expression(self) -> Expr:
        """The closed form in n."""
        ...

    @property
    def certificate(self) -> tuple[Certificate, ...]:
        """The inductions that prove it."""
        ...

    def values(self, generations: int) -> Sequence[Any]:
        """Return the values at generations 0..n."""
        ...


@frozen
class Claim:
    """One row of the table.

    ``derive`` answers for the loop with or without its numbers. ``variable`` names the run's variable that is compared;
    None evaluates ``observable`` on the run's parameters and tests the one-step residuals too.
    """

    title: str
    source: Source
    observable: Expr
    derive: Callable[[Loop], Derived]
    variable: str | None = None
    note: str = ""


@frozen
class Experiment:
    """One run of the loop ``here``, of which ``loop`` is the form in symbols, and the claims about it.

    ``measure`` adds variables that the run's own parameters do not hold, such as a loss on real data.
    """

    title: str
    loop: Loop
    here: Loop
    claims: tuple[Claim, ...]
    start: Mapping[str, float] | None = None
    chains: int = 2
    observe: Mapping[str, Expr] = field(factory=dict)
    measure: Callable[[xr.Dataset], xr.Dataset] = lambda run: run


def gaussian(values: np.ndarray, samples: int, chains: int) -> list[Experiment]:
    """Return the Gaussian experiments: source N(mean, variance) of the real numbers, both estimators, three regimes."""
    start = {"mu": float(np.mean(values)), "V": float(np.var(values))}
    share = Rational(max(1, round(samples / 10)), samples)
    regimes = {"replace": Replace(), "accumulate": Accumulate(), f"mixed ({share} real)": Mixed(alpha)}
    estimators = {"ML": MLE(), "unbiased": Unbiased()}
    experiments = []
    for name, estimator in estimators.items():
        for words, regime in regimes.items():
            numbers = {"M": samples} | ({"alpha": share} if isinstance(regime, Mixed) else {})
            loop, title = Loop(Gaussian(), estimator=estimator, regime=regime), f"{name}, {words}"
            experiments.append(Experiment(title, loop, loop.at(**numbers), _moments(title), start, chains))
    return experiments


def _moments(title: str) -> tuple[Claim, ...]:
    return (
        _expected(f"{title}: mean variance", "statistical", Gaussian.V),
        _expected(f"{title}: mean log variance", "statistical", log(Gaussian.V)),
        _expected(f"{title}: variance of the mean", "statistical", SPREAD),
    )


def _expected(title: str, source: Source, observable: Expr, note: str = "") -> Claim:
    return Claim(title, source, observable, lambda loop: expect(loop, observable), note=note)


def single_sources(values: np.ndarray, samples: int, chains: int) -> list[Experiment]:
    """Return loops with at most one error source on, against M = oo, where the statistical one is off."""
    start = {"mu": float(np.mean(values)), "V": float(np.var(values))}
    faithful, hot = (
        Loop(Gaussian(), estimator=Unbiased()),
        Loop(Gaussian(), estimator=Unbiased(), sampling=Tempered(tau)),
    )
    biased, tenth = Loop(Gaussian(), estimator=Scaled(c)), Rational(9, 10)
    return [
        _variance("no error source (M = oo)", "statistical", faithful.without("statistical"), {}, start),
        _variance(
            "tempered sampling alone (M = oo)",
            "approximation",
            hot.without("statistical"),
            {"tau": tenth},
            start,
        ),
        _variance("tempered sampling", "approximation", hot, {"tau": tenth, "M": samples}, start, chains),
        _variance(
            "biased estimator alone (M = oo)",
            "approximation",
            biased.without("statistical"),
            {"c": tenth},
            start,
        ),
        _variance("biased estimator", "approximation", biased, {"c": tenth, "M": samples}, start, chains),
    ]


def _variance(
    words: str,
    source: Source,
    loop: Loop,
    values: Mapping[str, Any],
    start: Mapping[str, float],
    chains: int = 2,
) -> Experiment:
    return Experiment(
        words,
        loop,
        loop.at(**values),
        (_expected(f"{words}: mean variance", source, Gaussian.V),),
        start,
        chains,
    )


def expressivity(features: np.ndarray, samples: int, chains: int) -> list[Experiment]:
    """Return the diagonal Gaussian fitted to a correlated source, alone (M = oo) and with finite samples.

    The source has the mean and covariance of the real features; the loss is measured on the real features themselves,
    as the excess negative log-likelihood of model n over the full Gaussian.
    """
    mean, covariance = features.mean(axis=0), np.cov(features, rowvar=False, ddof=0)
    here = MultivariateGaussian(_exact(mean), [_exact(row) for row in covariance])
    symbolic = MultivariateGaussian([0, 0], [[1, RHO], [RHO, 1]])
    loop, concrete = (Loop(DiagonalGaussian(), source=source, estimator=Unbiased()) for source in (symbolic, here))
    alone, both = (
        Claim(f"diagonal family{words}: excess loss", "expressivity", EXCESS, risk, "excess", note)
        for words, note in ((" alone (M = oo)", f"paid once, at n = 1; {OF_RHO}"), (", finite M", OF_RHO))
    )

    def measure(run: xr.Dataset) -> xr.Dataset:
        return run.assign(excess=excess_loss(run, features))

    off = (loop.without("statistical"), concrete.without("statistical"))
    return [
        Experiment(alone.title, *off, (alone,), measure=measure),
        Experiment(both.title, loop, concrete.at(M=samples), (both,), chains=chains, measure=measure),
    ]


RHO = Symbol("rho", real=True)
OF_RHO = "rho is the correlation of the two features"
EXCESS = Function("KL")(Symbol("source"), Symbol("model"))


def _exact(values: np.ndarray) -> list[Rational]:
    return [Rational(float(value)) for value in values]


def excess_loss(run: xr.Dataset, features: np.ndarray) -> xr.DataArray:
    """Return mean_x log N(x; m, S) - log N(x; mu_n, diag V_n) over the real features x, in nats, by chain and
    generation.
    """
    deviations = features - features.mean(axis=0)
    covariance = deviations.T @ deviations / len(features)
    full = _loss(
        np.einsum("xi,ij,xj->x", deviations, np.linalg.inv(covariance), deviations).mean(),
        np.linalg.slogdet(covariance)[1],
    )
    quadratic = sum(
        _scaled_square(features[:, k], run["mu"][..., k], run["V"][..., k]) for k in range(features.shape[1])
    )
    return _loss(quadratic, xr.apply_ufunc(np.log, run["V"]).sum("coordinate")) - full


def _scaled_square(x: np.ndarray, mu: xr.DataArray, V: xr.DataArray) -> xr.DataArray:
    """Return mean_x (x - mu)^2/V."""
    return ((x**2).mean() - 2 * mu * x.mean() + mu**2) / V


def _loss(quadratic: Any, log_determinant: Any) -> Any:
    """Return the mean negative log-likelihood less (d/2) log 2 pi."""
    return (quadratic + log_determinant) / 2


@frozen(eq=False)
class Ancestral:
    """A prediction of the chain of ancestors: an algorithm in floating point with a bound, no closed form in n."""

    expression: Expr
    compute: Callable[[int], np.ndarray]
    certificate: tuple[Certificate, ...] = ()

    def values(self, generations: int) -> Sequence[Any]:
        """Return the values at generations 0..n."""
        return list(self.compute(generations))


def words(counts: Sequence[int], samples: int, chains: int) -> list[Experiment]:
    """Return the categorical experiment: the source is the law of the real word counts, sorted by falling count."""
    total = sum(counts)
    here = Loop(Categorical([Rational(count, total) for count in counts]), samples=samples)
    classes = {f"lost_{count}": count for count in _typical(counts, total / samples)}
    observe = {"collision": Categorical.collision, "vocabulary": Categorical.vocabulary}
    observe |= {name: _lost(counts, count) for name, count in classes.items()}
    claims = (
        Claim("words: collision probability", "statistical", Categorical.collision, _collision),
        Claim("words: vocabulary", "statistical", Categorical.vocabulary, _support(counts), "vocabulary", DUAL),
        *(
            Claim(
                f"words of count {k}: lost",
                "statistical",
                Symbol(f"lost_{k}"),
                _loss_of(k, total),
                name,
                DUAL,
            )
            for name, k in classes.items()
        ),
    )
    return [Experiment("words", Loop(Categorical()), here, claims, chains=chains, observe=observe)]


DUAL = "chain of ancestors A_n in floating point, its error bound tested against exact fractions"
_A = IndexedBase("A")[symbols.n]
_E = Function("E")


def _typical(counts: Sequence[int], middle: float) -> list[int]:
    """Return the counts nearest to 4, 1 and 1/4 of tokens/M: a word kept for a while, one in the balance, and a rare
    one.
    """
    return list(
        dict.fromkeys(min(set(counts), key=lambda count: abs(count - scale * middle)) for scale in (4, 1, 0.25))
    )


def _lost(counts: Sequence[int], count: int) -> Expr:
    """Return the share of the words of this count that the model has lost; sorted counts make them neighbours."""
    first, size = counts.index(count), counts.count(count)
    return Sum(1 - sign(symbols.p[symbols.i]), (symbols.i, first, first + size - 1)) / size


def _collision(loop: Loop) -> Derived:
    return expect(loop, Categorical.collision)


def _support(counts: Sequence[int]) -> Callable[[Loop], Derived]:
    frequencies = np.array(counts) / sum(counts)
    formula = Sum(1 - _E((1 - _p0()) ** _A), (symbols.i, 0, symbols.K - 1))
    return lambda loop: Ancestral(
        formula, lambda generations: LargeChain(int(loop.samples), frequencies).support(range(generations + 1)).value
    )


def _loss_of(count: int, total: int) -> Callable[[Loop], Derived]:
    formula = _E((1 - Rational(count, total)) ** _A)
    return lambda loop: Ancestral(
        formula,
        lambda generations: large_absorption(loop).lost(frequency=count / total, n=range(generations + 1)).value,
    )


def _p0() -> Indexed:
    return symbols.p0[symbols.i]
