"""Autocovariances against martingale identities, stationary decay, and exhaustive enumeration."""

from functools import cache

import pytest
from sympy import Rational, binomial, log

from theory import (
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    M,
    Mixed,
    NotClosed,
    Scaled,
    Unbiased,
    alpha,
    autocovariance,
    c,
    ell,
    expect,
    mu0,
    n,
    variance,
)
from theory.geometric import by_base

mu, V, p = Gaussian.mu, Gaussian.V, Bernoulli.p
GAUSSIAN = Loop(Gaussian(), estimator=Scaled(c))
COIN = Loop(Bernoulli())
THIRD = Rational(1, 3)


def same(one, two):
    """Whether two closed forms in n agree base by base."""
    return by_base(one - two) == {}


def test_mean_is_a_martingale():
    """Assert Cov(mu_n, mu_(n+l)) = Var(mu_n), and the same for a Bernoulli frequency, whatever the lag."""
    assert same(autocovariance(GAUSSIAN, mu).expression, variance(GAUSSIAN, mu).expression)
    assert same(autocovariance(COIN, p).expression, variance(COIN, p).expression)


def test_variance_decays_with_its_multiplier():
    """Assert Cov(V_n, V_(n+l)) = c^l Var(V_n), and E V_n V_(n+l) = c^l E V_n^2."""
    answer = autocovariance(GAUSSIAN, V)
    assert same(answer.expression, c**ell * variance(GAUSSIAN, V).expression)
    assert same(answer.uncentred, c**ell * expect(GAUSSIAN, V**2).expression)


def test_log_variance_is_a_random_walk():
    """Assert Cov(log V_n, log V_(n+l)) = Var(log V_n): increments are independent."""
    assert same(autocovariance(GAUSSIAN, log(V)).expression, variance(GAUSSIAN, log(V)).expression)


def test_slipped_lag_is_noticed():
    """Assert that l + 1 for l leaves a difference."""
    wrong = (c**ell * variance(GAUSSIAN, V).expression).subs(ell, ell + 1)
    assert not same(autocovariance(GAUSSIAN, V).expression, wrong)


@pytest.mark.parametrize(("one", "two"), [(V, mu**2), (mu**2, V), (mu * V, mu**2)])
def test_number_for_the_lag_is_the_same_as_the_symbol(one, two):
    """Assert that stepping l = 0, 1, 3 refits back gives what the closed form in l gives."""
    loop = Loop(Gaussian(mu0, 1), estimator=Unbiased())
    general = autocovariance(loop, one, two).expression
    for lag in (0, 1, 3):
        assert same(general.subs(ell, lag), autocovariance(loop, one, two, lag=lag).expression)


def test_stationary_autocovariance_is_geometric():
    """Assert that with a real share alpha the limit in n is (1 - alpha)^l times the stationary variance."""
    loop = Loop(Gaussian(), regime=Mixed(alpha))
    assert same(autocovariance(loop, mu).limit(), (1 - alpha) ** ell * variance(loop, mu).limit())


def chance(size, k, share):
    """P(k of size), each with probability share."""
    return binomial(size, k) * share**k * (1 - share) ** (size - k)


def paths(update, size, generations, start):
    """Yield (probability, [p_0, ..., p_n]) over all runs of a coin refitted by ``update(k, p, successes)``."""
    if generations == 0:
        yield Rational(1), [start]
        return
    for weight, path in paths(update, size, generations - 1, start):
        for k in range(size + 1):
            odds = chance(size, k, path[-1])
            if odds:
                yield weight * odds, [*path, update(generations, path[-1], k)]


@cache
def runs(regime, size, generations):
    """All runs from p_0 = 1/3, listed."""
    updates = {
        "replace": lambda _k, _before, successes: Rational(successes, size),
        "accumulate": lambda k, before, successes: ((k - 1) * before + Rational(successes, size)) / k,
    }
    return list(paths(updates[regime], size, generations, THIRD))


def enumerated(regime, size, n_, lag, powers):
    """Cov(p_n^a, p_(n+lag)^b) summed over all runs."""
    one, two = powers
    listed = runs(regime, size, n_ + lag)
    both = sum(w * path[n_] ** one * path[n_ + lag] ** two for w, path in listed)
    return both - sum(w * path[n_] ** one for w, path in listed) * sum(w * path[n_ + lag] ** two for w, path in listed)


@pytest.mark.parametrize("powers", [(1, 1), (1, 2), (2, 1), (2, 3)])
@pytest.mark.parametrize(("size", "n_", "lag"), [(2, 1, 2), (3, 2, 2), (2, 3, 1)])
def test_replace_is_its_enumeration(size, n_, lag, powers):
    """Assert the closed form in n, l and M against all runs of a small coin."""
    general = autocovariance(COIN, p ** powers[0], p ** powers[1])
    assert general.at(n=n_, lag=lag, M=size, p0=THIRD) == enumerated("replace", size, n_, lag, powers)
    numbers = {n: n_, ell: lag, M: size, Bernoulli().p0: THIRD}
    assert general.expression.subs(numbers) == enumerated("replace", size, n_, lag, powers)


@pytest.mark.parametrize("powers", [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize(("size", "n_", "lag"), [(2, 1, 2), (2, 2, 2), (3, 1, 1)])
def test_accumulate_is_its_enumeration(size, n_, lag, powers):
    """Assert coefficients that depend on n, with a number for the lag, against all runs of a small coin."""
    loop = Loop(Bernoulli(THIRD), regime=Accumulate(), samples=size)
    answer = autocovariance(loop, p ** powers[0], p ** powers[1], lag=lag)
    assert answer.values(n_)[n_ - answer.start] == enumerated("accumulate", size, n_, lag, powers)


def test_refusals_name_the_axis():
    """Assert that a symbolic lag with coefficients in n, sums over types and impossible lags are refused."""
    with pytest.raises(NotClosed, match="regime"):
        autocovariance(Loop(Bernoulli(), regime=Accumulate()), p)
    with pytest.raises(NotClosed, match="types"):
        autocovariance(Loop(Categorical()), Categorical.collision)
    with pytest.raises(ValueError, match="lag = -1"):
        autocovariance(COIN, p, lag=-1)
    with pytest.raises(ValueError, match="symbol"):
        autocovariance(COIN, p).values(3)


def test_autocovariance_prints_both_generations():
    """Assert LaTeX with n and n + l."""
    written = autocovariance(GAUSSIAN, V)._repr_latex_()
    assert written.startswith(r"$\operatorname{Cov}\left[V_{n}, V_{n + \ell}\right] = c^{\ell}")
