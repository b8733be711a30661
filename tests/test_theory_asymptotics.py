"""Exact expansions and leading terms: identities that leave nothing, known leading orders, honest remainders."""

import pytest
from sympy import Lambda, Rational, RootSum, Symbol, besselj, digamma, gamma, log, loggamma, pi, polygamma, sin, sqrt

from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Gaussian,
    Loop,
    M,
    Mixed,
    NoClosedForm,
    Scaled,
    Unbiased,
    alpha,
    c,
    expect,
    leading,
    n,
    risk,
    variance,
)
from theory.expansion import expansion
from theory.geometric import by_base
from theory.signs import sign_on_domain, versus_one
from theory.symbols import V0

V, p, x = Gaussian.V, Bernoulli.p, Symbol("x")
HALF, THIRD = Rational(1, 2), Rational(1, 3)
BIASED = Scaled((M - 1) / (M + 1))
ESTIMATORS = {"MLE": MLE(), "unbiased": Unbiased(), "min-MSE": BIASED}
IDENTITIES = {
    "Gamma(z + 1) = z Gamma(z)": log(gamma(M / 2 + 1)) - log(gamma(M / 2)) - log(M / 2),
    "duplication": log(gamma(M)) - log(gamma(M / 2)) - log(gamma(M / 2 + HALF)) - (M - 1) * log(2) + log(pi) / 2,
    "psi(z + 1) = psi(z) + 1/z": digamma(M + THIRD + 1) - digamma(M + THIRD) - 1 / (M + THIRD),
    "psi is the derivative of log Gamma": polygamma(1, M + 1) - polygamma(1, M) + 1 / M**2,
    "duplication of psi": digamma(2 * M) - digamma(M) / 2 - digamma(M + HALF) / 2 - log(2),
    "sin^2 = (1 - cos 2x)/2": sin(1 / M) ** 2 - HALF + sin(pi / 2 - 2 / M) / 2,
    "powers": (1 - 1 / M) ** n * (1 + 1 / M) ** n - (1 - 1 / M**2) ** n,
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_identity_leaves_no_term(name):
    """Assert that an identity of Gamma, psi, sine or powers vanishes to every order of its expansion."""
    assert expansion(IDENTITIES[name], M, 6).terms == {}


def test_broken_identity_leaves_its_defect():
    """Assert that 1/M^3 added to an identity is found, alone and with its coefficient."""
    assert expansion(IDENTITIES["duplication of psi"] + 1 / M**3, M, 6).terms == {(3, 0): 1}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_leading_w2_is_the_same_for_every_estimator(name):
    """Assert E W_2^2 ~ (3/2) V0 n/M and G24, Var W_2^2 ~ (5/2) V0^2 (n/M)^2."""
    answer = risk(Loop(Gaussian(), estimator=ESTIMATORS[name]), "w2")
    mean, spread = answer.leading(M), answer.variance.leading(M)
    assert (mean.term - 3 * V0 * n / (2 * M)).expand() == 0
    assert mean.remainder == M**-2
    assert (spread.term - 5 * V0**2 * n**2 / (2 * M**2)).expand() == 0
    assert spread.remainder == M**-3


@pytest.mark.parametrize(("name", "rate"), [("MLE", 2), ("unbiased", 1), ("min-MSE", 3)])
def test_leading_log_drift(name, rate):
    """Assert E log V_n/V0 ~ -kappa n/M with kappa 2, 1, 3, and E V_n^kappa/V0^kappa - 1 of a smaller order."""
    loop = Loop(Gaussian(), estimator=ESTIMATORS[name])
    assert (expect(loop, log(V) - log(V0)).leading(M).term + rate * n / M).expand() == 0
    assert expect(loop, V**rate - V0**rate + V0**rate / M).leading(M).term == V0**rate / M


def test_accumulate_keeps_its_error_bounded():
    """Assert E V_n - V0 ~ -(V0/M) sum_(k <= n) 1/k^2, and -(pi^2/6) V0/M in the limit."""
    loss = expect(Loop(Gaussian(), regime=Accumulate()), V - V0)
    assert [loss.leading(M).term.subs(n, k).expand() for k in (1, 2, 3)] == [
        -V0 / M,
        -V0 * (1 + Rational(1, 4)) / M,
        -V0 * (1 + Rational(1, 4) + Rational(1, 9)) / M,
    ]
    assert (leading(loss.limit(), M).term + pi**2 * V0 / (6 * M)).expand() == 0


def test_mixing_keeps_its_error_bounded():
    """Assert the stationary Var p ~ p0(1 - p0)/(M alpha(2 - alpha))."""
    spread = variance(Loop(Bernoulli(), regime=Mixed(alpha)), p)
    wanted = Bernoulli().p0 * (1 - Bernoulli().p0) / (M * alpha * (2 - alpha))
    assert (leading(spread.limit(), M).term - wanted).cancel() == 0


@pytest.mark.parametrize("of", [V**2, sqrt(V), 1 / V, log(V)])
def test_remainder_has_the_order_it_says(of):
    """Assert that |expression - term|/remainder grows by less than 5 % from M = 10^2 to 10^3, n = 3."""
    start = of.subs(V, V0)
    expression = expect(Loop(Gaussian()), of - start).expression.subs({V0: 1, n: 3})
    term = leading(expression, M)
    left = abs((expression - term.term) / term.remainder)
    near, far = (left.evalf(20, subs={M: 10**k}, maxn=200) for k in (2, 3))
    assert far < near * Rational(105, 100)


def test_leading_term_in_the_generation():
    """Assert the term with the largest base: V0 n/M unbiased, 2 V0 under maximum likelihood, (M/(M - 3))^n for NLL."""
    unbiased, likelihood = (Loop(Gaussian(), estimator=e) for e in (Unbiased(), MLE()))
    assert risk(unbiased, "w2").leading(n).term == V0 * n / M
    assert risk(likelihood, "w2").leading(n).term == 2 * V0
    assert risk(likelihood, "nll").leading(n).term == 2 * (M / (M - 3)) ** n / 3
    assert risk(likelihood, "w2").leading(n).remainder.subs({M: 2, n: 1}) == gamma(1) / gamma(HALF)


def test_gamma_ratio_is_told_from_one():
    """Assert sqrt(2/M) Gamma(M/2)/Gamma((M - 1)/2) < 1, its inverse > 1, psi((M - 1)/2) < log(M/2) and
    psi_1(M/2) > 2/M, for all M.
    """
    ratio = sqrt(2 / M) * gamma(M / 2) / gamma((M - 1) / 2)
    assert (versus_one(ratio), versus_one(1 / ratio)) == (-1, 1)
    assert sign_on_domain(digamma((M - 1) / 2) - log(M / 2)) == -1
    assert sign_on_domain(polygamma(1, M / 2) - 2 / M) == 1
    assert sign_on_domain(digamma((M - 1) / 2) - log((M - 1) / 2) + 2 / M) is None


def test_equal_exponentials_meet():
    """Assert (4^n - 2^n 2^n) = 0, and that powers inside a sum over roots are left alone."""
    assert by_base(4**n - 2**n * 2**n + (1 + 2**n) ** 2 - 1 - 2 ** (n + 1)) == {4: 1}
    roots = RootSum(x**3 - x - 3, Lambda(x, x**n), auto=False)
    assert by_base(2**n * roots + 3**n) == {2: roots, 3: 1}


REFUSED = {
    "oscillates": (sin(M), M),
    "no expansion": (besselj(0, M), M),
    "grows faster than powers": (gamma(M), M),
    "symbolic power": (M**n, M),
    "vanishes": (log(gamma(M + 1)) - log(gamma(M)) - log(M), M),
    "undecided base": (c**n + 1, n),
    "alternates": ((-2) ** n + 2**n, n),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_leading_term_is_refused(name):
    """Assert `NoClosedForm` where no expansion is known, all terms vanish, or the symbols decide which leads."""
    expression, symbol = REFUSED[name]
    with pytest.raises(NoClosedForm):
        leading(expression, symbol)


def test_leading_prints():
    """Assert text and LaTeX with the order of the remainder."""
    answer = leading(loggamma(M + HALF) - loggamma(M) - log(M) / 2, M)
    assert str(answer) == "-1/(8*M) + O(M**(-2))"
    assert answer._repr_latex_() == r"$- \frac{1}{8 M} + O\left(\frac{1}{M^{2}}\right) \quad (M \to \infty)$"
