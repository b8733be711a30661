"""The one-step recurrences against references that share no code with them and keep every data point.

Discrete loops: all sequences of draws, in fractions. Gaussian loops: two or three explicit points mu + s z_i per
generation, mean and variance as np.mean and np.var compute them on the concatenated data, and E z^(2k) = (2k-1)!!.
"""

from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import QQ, Rational, S, Sum, factorial2, ring, symbols

from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    Mixed,
    Replace,
    Scaled,
    Unbiased,
    expect,
    mu0,
    n,
)
from theory.symbols import V0, K, i

# Discrete loops -------------------------------------------------------------------------------------------------------


def draws(points, law):
    """Every sequence of independent draws from a law, as counts with their probability."""
    types = range(len(law))
    for sequence in product(types, repeat=points):
        yield tuple(sequence.count(k) for k in types), prod((law[k] for k in sequence), start=Fraction(1))


def plus(one, two):
    """Two sets of counts, concatenated."""
    return tuple(a + b for a, b in zip(one, two, strict=True))


def frequencies(counts):
    """The sample frequencies: what a discrete fit reports."""
    return tuple(Fraction(count, sum(counts)) for count in counts)


def pools(word, law, source, samples, real, pool):
    """Every data set that the next fit may see, with its probability, for a regime known by its word."""
    for counts, chance in draws(samples - real if word == "mixed" else samples, law):
        if word == "replace":
            yield counts, chance
        elif word == "accumulate":
            yield plus(counts, pool), chance
        else:
            yield from ((plus(counts, fresh), chance * other) for fresh, other in draws(real, source))


def models(word, source, samples, real, generations):
    """The law of model 0, 1, ..., as {(frequencies, pooled counts): probability}."""
    now = {(source, (0,) * len(source)): Fraction(1)}
    yield now
    for _ in range(generations):
        after = {}
        for (law, pool), weight in now.items():
            for counts, chance in pools(word, law, source, samples, real, pool):
                key = frequencies(counts), counts if word == "accumulate" else pool
                after[key] = after.get(key, Fraction(0)) + weight * chance
        now = after
        yield now


def enumerated(word, source, samples, real, powers, generations):
    """E prod_i p_i^powers_i at generations 0, 1, ... by brute force."""
    for law in models(word, source, samples, real, generations):
        yield sum(weight * prod(x**a for x, a in zip(p, powers, strict=True)) for (p, _), weight in law.items())


@st.composite
def discrete(draw):
    """(word, regime, source, M, real points, powers) small enough to enumerate."""
    weights = draw(st.lists(st.integers(0, 4), min_size=2, max_size=3).filter(any))
    source = tuple(Fraction(w, sum(weights)) for w in weights)
    samples = draw(st.integers(1, 4 if len(source) == 2 else 3))
    real = draw(st.integers(0, samples))
    word = draw(st.sampled_from(["replace", "accumulate", "mixed"]))
    regime = {"replace": Replace(), "accumulate": Accumulate(), "mixed": Mixed(Rational(real, samples))}[word]
    powers = draw(st.tuples(*(st.integers(0, 3) for _ in source)))
    return word, regime, source, samples, real, powers


@settings(max_examples=60)
@given(discrete())
def test_categorical_moments_are_the_enumerated_ones(case):
    """Assert that E prod p_i^a_i at n = 0..3 is what all sequences of draws give, in every regime."""
    word, regime, source, samples, real, powers = case
    loop = Loop(Categorical(source), regime=regime, samples=samples)
    observable = prod((Categorical.p[k] ** a for k, a in enumerate(powers)), start=S.One)
    generations = 2 if samples > 3 else 3
    assert expect(loop, observable).values(generations) == list(
        enumerated(word, source, samples, real, powers, generations)
    )


@settings(max_examples=30)
@given(discrete())
def test_bernoulli_moments_are_the_enumerated_ones(case):
    """Assert the same for the two-type family of its own, E p^a (1-p)^b."""
    word, regime, source, samples, real, powers = case
    two = (source[0], 1 - source[0])
    loop = Loop(Bernoulli(source[0]), regime=regime, samples=samples)
    observable = Bernoulli.p ** powers[0] * (1 - Bernoulli.p) ** powers[1]
    assert expect(loop, observable).values(2) == list(enumerated(word, two, samples, real, powers[:2], 2))


@pytest.mark.parametrize("word", ["replace", "accumulate", "mixed"])
@pytest.mark.parametrize("types", [2, 3])
def test_sums_over_types_are_the_enumerated_ones(word, types):
    """Assert E sum_i (1 - p_i)^2, which counts the types as well, against the same sum over enumerated models."""
    source = tuple(Fraction(k, types * (types + 1) // 2) for k in range(1, types + 1))
    regime = {"replace": Replace(), "accumulate": Accumulate(), "mixed": Mixed(Rational(1, 3))}[word]
    observable = Sum((1 - Categorical.p[i]) ** 2, (i, 0, K - 1))
    reference = [
        sum(weight * sum((1 - x) ** 2 for x in p) for (p, _), weight in law.items())
        for law in models(word, source, 3, 1 if word == "mixed" else 0, 2)
    ]
    assert expect(Loop(Categorical(source), regime=regime, samples=3), observable).values(2) == reference


def test_enumeration_tells_the_regimes_apart():
    """Assert that the reference is no tautology: forgetting the pool, or one real point, changes the second moment."""
    source, powers = (Fraction(1, 3), Fraction(2, 3)), (2, 0)
    cases = [("replace", 0), ("mixed", 1), ("mixed", 2), ("accumulate", 0)]
    answers = [tuple(enumerated(word, source, 3, real, powers, 2)) for word, real in cases]
    assert len(set(answers)) == len(answers)


# Gaussian loops -------------------------------------------------------------------------------------------------------

POINTS = 3
z, w, y = (symbols(f"{letter}1:{POINTS + 1}") for letter in "zwy")
m, s, m0, s0 = symbols("m s m0 s0")
R, *_ = ring([*z, *w, *y, m, s, m0, s0], QQ)
DEVIATES = range(2 * POINTS)


def as_polynomial(expr):
    """An expression as an element of the ring."""
    return R.from_expr(S(expr).expand())


def averaged(polynomial):
    """E over independent standard normal z and w: odd powers vanish, E z^(2k) = (2k - 1)!!."""
    total = R.zero
    for exponents, weight in polynomial.terms():
        if not any(exponents[k] % 2 for k in DEVIATES):
            rest = tuple(0 if k in DEVIATES else e for k, e in enumerate(exponents))
            total += R({rest: weight * prod(int(factorial2(exponents[k] - 1)) for k in DEVIATES)})
    return total


def mean_and_variance(points, factor, ddof):
    """np.mean and factor * np.var(ddof) of explicit points."""
    mean = sum(points, R.zero) * QQ(1, len(points))
    squares = sum(((x - mean) ** 2 for x in points), R.zero)
    return mean, squares * (QQ(*factor) / (len(points) - ddof))


def model_points(count):
    """Draws m + s z_k of the last model N(m, s^2)."""
    return [as_polynomial(m + s * z[k]) for k in range(count)]


def real_points(count):
    """Draws m0 + s0 w_k of the source."""
    return [as_polynomial(m0 + s0 * w[k]) for k in range(count)]


ESTIMATES = {
    "ddof 0": (MLE(), (1, 1), 0),
    "ddof 1": (Unbiased(), (1, 1), 1),
    "c = 2/5": (Scaled(Rational(2, 5)), (2, 5), 1),
}
ORDERS = [(1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2), (3, 0), (4, 0), (1, 2)]


def engine_row(loop, a, b, values):
    """E[mu'^a V'^b | model], fit number 2, with values for the parameters."""
    row = expect(loop, Gaussian.mu**a * Gaussian.V**b).next().subs(n, 2)
    return as_polynomial(row.subs(values, simultaneous=True))


@pytest.mark.parametrize(("a", "b"), ORDERS)
@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize(("samples", "real"), [(2, 0), (3, 0), (2, 1), (3, 1), (3, 2), (2, 2)])
def test_replace_and_mixed_rows_follow_from_the_points(samples, real, estimate, a, b):
    """Assert E[mu'^a V'^b | mu, V] for M = 2, 3 explicit points, none to all of them real."""
    estimator, factor, ddof = ESTIMATES[estimate]
    mean, variance = mean_and_variance(model_points(samples - real) + real_points(real), factor, ddof)
    regime = Mixed(Rational(real, samples)) if real else Replace()
    loop = Loop(Gaussian(), estimator=estimator, regime=regime, samples=samples)
    values = {Gaussian.mu: m, Gaussian.V: s**2, mu0: m0, V0: s0**2}
    assert averaged(mean**a * variance**b) == engine_row(loop, a, b, values)


@pytest.mark.parametrize(("a", "b"), ORDERS[:6])
@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("samples", [2, 3])
def test_accumulate_row_follows_from_the_points(samples, estimate, a, b):
    """Assert the second fit's row, E[. | first data set]: M old points y_k, M new ones drawn from the fit to them."""
    estimator, factor, ddof = ESTIMATES[estimate]
    old = [as_polynomial(y[k]) for k in range(samples)]
    mean, variance = mean_and_variance(old + model_points(samples), factor, ddof)
    first_mean, first_variance = mean_and_variance(old, factor, ddof)
    fitted = refitted(averaged(mean**a * variance**b), first_mean, first_variance)
    loop = Loop(Gaussian(), estimator=estimator, regime=Accumulate(), samples=samples)
    values = {Gaussian.mu: first_mean.as_expr(), Gaussian.V: first_variance.as_expr()}
    assert fitted == engine_row(loop, a, b, values)


def refitted(polynomial, mean, variance):
    """The polynomial with the fitted values put in for m and s^2; an odd power of s would be an error."""
    at_m, at_s = R.symbols.index(m), R.symbols.index(s)
    total = R.zero
    for exponents, weight in polynomial.terms():
        half, odd = divmod(exponents[at_s], 2)
        assert not odd
        rest = tuple(0 if k in (at_m, at_s) else e for k, e in enumerate(exponents))
        total += R({rest: weight}) * mean ** exponents[at_m] * variance**half
    return total


@pytest.mark.parametrize("slip", ["no gap between the means", "the other ddof", "a deviate used twice"])
def test_planted_slip_in_the_data_is_noticed(slip):
    """Assert that the comparison above sees three classical slips of a pooled fit (planted in the reference)."""
    points = model_points(2) + real_points(1)
    if slip == "a deviate used twice":
        points[1] = points[0]
    _, variance = mean_and_variance(points, (1, 1), 1 if slip == "the other ddof" else 0)
    if slip == "no gap between the means":
        variance = mean_and_variance(points[:2], (1, 1), 0)[1] * QQ(2, 3)
    loop = Loop(Gaussian(), regime=Mixed(Rational(1, 3)), samples=3)
    assert averaged(variance) != engine_row(loop, 0, 1, {Gaussian.mu: m, Gaussian.V: s**2, mu0: m0, V0: s0**2})
