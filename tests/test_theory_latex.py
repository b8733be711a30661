"""How answers read: LaTeX that a notebook can set, with psi for the digamma and the symbols of the field."""

import re

import pytest
from sympy import Rational, log, oo, sqrt

from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    Mixed,
    Scaled,
    Tempered,
    Unbiased,
    alpha,
    c,
    drift,
    expect,
    n,
    tau,
)
from theory.latex import latex
from theory.symbols import V0, mu0, q0

mu, V = Gaussian.mu, Gaussian.V
CASES = {
    "mean": (Loop(Gaussian()), V),
    "unbiased": (Loop(Gaussian(), estimator=Unbiased()), mu**2),
    "any c": (Loop(Gaussian(), estimator=Scaled(c), sampling=Tempered(tau)), mu**2 * V),
    "deviation": (Loop(Gaussian()), sqrt(V)),
    "logarithm": (Loop(Gaussian()), log(V)),
    "squared logarithm": (Loop(Gaussian(), estimator=Unbiased()), log(V) ** 2),
    "precision": (Loop(Gaussian()), 1 / V),
    "accumulate": (Loop(Gaussian(), regime=Accumulate()), V),
    "accumulate unbiased": (Loop(Gaussian(), estimator=Unbiased(), regime=Accumulate()), mu**2),
    "mixed": (Loop(Gaussian(), regime=Mixed(alpha)), V),
    "mixed by numbers": (Loop(Gaussian(0, 1), regime=Mixed(Rational(1, 5)), samples=10), V),
    "frequency": (Loop(Bernoulli()), Bernoulli.p**2),
    "collision": (Loop(Categorical()), Categorical.collision),
    "population": (Loop(Gaussian(), samples=oo), V),
}


def tokens(text):
    """Commands, escaped characters and single characters of LaTeX."""
    return re.findall(r"\\[A-Za-z]+|\\.|.", text, re.DOTALL)


def fault(text):
    """What keeps the text from being one well nested formula in dollars, or None."""
    if not re.fullmatch(r"\$[^$]+\$", text):
        return "not one formula in dollars"
    stack, pairs = [], {"}": "{", r"\right": r"\left", r"\end": r"\begin"}
    for token in tokens(text):
        if token in pairs.values():
            stack.append(token)
        elif token in pairs and (not stack or stack.pop() != pairs[token]):
            return f"{token} closes nothing"
    return f"{stack[-1]} stays open" if stack else None


@pytest.mark.parametrize("name", CASES)
def test_expectation_is_well_formed_latex(name):
    """Assert balanced braces and delimiters, and no name of code left in the formula."""
    text = expect(*CASES[name])._repr_latex_()
    assert fault(text) is None
    assert text.startswith(r"$\mathbb{E}\left[")
    assert not re.search(r"polygamma|digamma|Rational|\*\*|mu0|V0|p0", text)


@pytest.mark.parametrize("estimator", [MLE(), Unbiased(), Scaled(c)], ids=str)
def test_drift_is_well_formed_latex(estimator):
    """Assert the same of the drift, which shows psi and its verdict."""
    text = drift(Loop(Gaussian(), estimator=estimator))._repr_latex_()
    assert fault(re.sub(r"\$ \(.*\)$", "$", text)) is None
    assert r"\psi\left(" in text


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (r"$\frac{1}{2$", "stays open"),
        (r"$x}$", "closes nothing"),
        (r"$\left( x$", "stays open"),
        (r"$\left( {x \right)}$", "closes nothing"),
        (r"x^2", "dollars"),
        (r"$a$ and $b$", "dollars"),
    ],
)
def test_broken_latex_is_noticed(broken, word):
    """Assert that the checker above sees what it is there to see (planted)."""
    assert word in fault(broken)


def test_digamma_prints_as_psi_and_polygammas_with_their_order():
    r"""Assert \psi for E log V and \psi_{1} for its variance."""
    assert r"\psi\left(" in expect(*CASES["logarithm"])._repr_latex_()
    assert r"\psi_{1}\left(" in expect(*CASES["squared logarithm"])._repr_latex_()
    assert r"\psi" not in expect(*CASES["mean"])._repr_latex_()
    large = expect(Loop(Gaussian(), samples=1000), sqrt(V))._repr_latex_()
    assert r"\log\Gamma\left(500\right)" in large
    assert fault(large) is None


def test_source_symbols_carry_their_index():
    """Assert mu_0, V_0 and p_0, and powers outside the index."""
    assert [latex(x) for x in (mu0, V0, q0)] == [r"\mu_0", "V_0", "p_0"]
    assert latex(V0**2) == "V_0^{2}"
    assert latex(mu0 * V0**n) == r"V_0^{n} \mu_0"


def test_text_form_is_an_equation():
    """Assert that str reads E[observable] = closed form, with the very expression."""
    for loop, observable in CASES.values():
        expectation = expect(loop, observable)
        assert str(expectation) == f"E[{observable}] = {expectation.expression}"


@pytest.mark.parametrize("name", CASES)
def test_derivation_says_every_step(name):
    """Assert that the derivation names the loop, the update, the recurrence, the closed form and each condition."""
    expectation = expect(*CASES[name])
    text = expectation.derivation()
    for word in ("Loop: ", "Observable: ", "One refit: ", "Tower property: ", "Closed form for n >= "):
        assert word in text
    assert text.count("Provided that") == len(expectation.conditions)
    assert text.count("Assuming that") == len(expectation.assumptions)
