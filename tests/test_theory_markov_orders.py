"""Markov sources fitted with a shorter memory: projection, its price per token, and the loop that starts from it.

Simulations are compared at the family-wise level 1e-6 and 1e-4, so that the file fails by chance once in 10^3 runs.
"""

from itertools import pairwise, product
from math import log as natural

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, expand_log, log, oo

from numerics import Curve, agree, simulate
from numerics.decomposition import simulated_sources
from theory import Loop, NGram, NotClosed, absorption, sources
from theory.cells import value_at
from theory.families.orders import lengthened, shortened
from theory.sources import CELLS

ROWS = [["3/4", "1/4"], ["1/4", "3/4"], ["1/3", "2/3"], ["3/4", "1/4"]]
SOURCE = NGram(2, ROWS)
LOOP = Loop(NGram(1), source=SOURCE, samples=6)
NARROW = frozenset({"expressivity"})


def laws(letters, count):
    """Rows of positive rational numbers that sum to 1."""
    weights = st.lists(st.integers(1, 9), min_size=letters, max_size=letters)
    return st.lists(weights.map(lambda w: [Rational(x, sum(w)) for x in w]), min_size=count, max_size=count)


def same(a, b):
    """Whether two sums of logarithms of rational numbers are equal: those of primes are independent."""
    return expand_log(a - b, force=True, factor=True).expand() == 0


# The projection -------------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(laws(2, 4), laws(2, 2))
def test_pythagoras(rows, other):
    """Assert KL(source || q) = KL(source || projection) + KL(projection || q) for every q of the family, exactly."""
    source, q = NGram(2, rows), NGram(1, other)
    nearest = NGram(1).project(source)
    assert same(q.rate_from(source), NGram(1).divergence(source) + q.rate_from(nearest))


@settings(max_examples=8)
@given(laws(3, 9))
def test_the_price_is_a_difference_of_entropies(rows):
    """Assert KL(source || projection) = h_k - h for k = 0 and 1, and that a shorter memory costs more."""
    source = NGram(2, rows)
    bigrams, tokens = NGram(1), NGram(0, end="ring")
    for family in (bigrams, tokens):
        law = family.project(source)
        assert same(family.divergence(source), law.rate_from(source))
        assert same(family.divergence(source), law.differential_entropy() - source.differential_entropy())
    assert bigrams.divergence(source).n(30) >= 0
    assert tokens.divergence(source).n(30) >= bigrams.divergence(source).n(30)


def test_the_projection_is_seen_in_powers_of_the_chain():
    """Assert stationary law, conditional law and entropies against a matrix multiplied by itself."""
    chain = np.zeros((4, 4))
    for (a, b), row in zip(product(range(2), repeat=2), ROWS, strict=True):
        for y, p in enumerate(row):
            chain[2 * a + b, 2 * b + y] = float(Rational(p))
    weights = np.linalg.matrix_power(chain, 400)[0].reshape(2, 2)
    joint = weights[:, :, None] * np.array([[float(Rational(p)) for p in row] for row in ROWS]).reshape(2, 2, 2)
    pairs = joint.sum(0)
    rows = pairs / pairs.sum(1, keepdims=True)
    nearest = NGram(1).project(SOURCE)
    np.testing.assert_allclose(np.array(nearest.transitions, float), rows, rtol=1e-12)
    h1, h2 = (-(p * np.log(q)).sum() for p, q in ((pairs, rows), (joint, joint / weights[:, :, None])))
    assert float(NGram(1).divergence(SOURCE)) == pytest.approx(h1 - h2, rel=1e-12)


def test_a_longer_memory_contains_the_source():
    """Assert divergence 0 both ways, and a first text of the same law, where the family remembers more."""
    family = NGram(3)
    law = family.project(SOURCE)
    assert family.divergence(SOURCE) == 0
    assert law.rate_from(SOURCE) == SOURCE.rate_from(law) == 0
    assert shortened(law.table(), law.stationary(), 2) == {c: list(row) for c, row in SOURCE.table().items()}
    assert lengthened(SOURCE.table(), 3) == law.table()
    assert family.outside(SOURCE) is None
    assert NGram(1).outside(SOURCE) == SOURCE


def test_contexts_that_never_come_are_followed_by_anything():
    """Assert the uniform law after a context of probability 0, and an infinite rate to a law that rules out a token."""
    never = NGram(2, [[1, 0], ["1/2", "1/2"], [1, 0], ["1/2", "1/2"]])
    assert NGram(1).project(never).transitions == ((1, 0), (Rational(1, 2), Rational(1, 2)))
    assert NGram(1, [[1, 0], [0, 1]]).rate_from(NGram(1, [["1/2", "1/2"]] * 2)) == oo


# The loop -------------------------------------------------------------------------------------------------------------


def texts(size):
    """Yield every text of a source of order 2 with its probability, by walking over all."""
    weights = SOURCE.stationary()
    for text in product(range(2), repeat=size):
        chance = Rational(int(weights[text[:2]].numerator), int(weights[text[:2]].denominator))
        for a, b, y in zip(text, text[1:], text[2:], strict=False):
            chance *= Rational(ROWS[2 * a + b][y])
        yield text, chance


def entropy_of(text):
    """The entropy of the bigrams of a text, in nats per token."""
    pairs = list(pairwise(text))
    before = text[:-1]
    return -sum(natural(pairs.count(p) / before.count(p[0])) for p in pairs) / len(pairs)


def test_the_first_fit_reads_texts_of_the_source():
    """Assert E entropy, contexts and n-grams of fit 1 against all texts of the source, whose memory is longer."""
    chain = absorption(LOOP)
    every = list(texts(6))
    assert sum(chance for _, chance in every) == 1
    assert chain.contexts(1) == sum(chance * len(set(text[:-1])) for text, chance in every)
    assert chain.ngrams(1) == sum(chance * len({*pairwise(text)}) for text, chance in every)
    wanted = sum(float(chance) * entropy_of(text) for text, chance in every)
    assert float(chain.entropy(1)) == pytest.approx(wanted, rel=1e-12)
    assert chain.entropy(0) == NGram(1).project(SOURCE).differential_entropy()
    inside = absorption(Loop(NGram(1).project(SOURCE), samples=6))
    assert chain.ngrams(1) != inside.ngrams(1)


def test_all_cells_have_theory():
    """Assert the eight cells of E entropy against written texts, and that a shorter memory starves more slowly."""
    found = simulated_sources(LOOP, "entropy", generations=2, chains=10_000, level=1e-6)
    assert {row.verdict for row in found.rows.values()} == {"agree", "theory only"}
    assert all(row.theory is not None for row in found.rows.values())
    low, _ = found.interactions[frozenset({"statistical", "expressivity"})].interval
    assert low > 0


def test_another_source_is_noticed():
    """Assert that written texts disagree with the chain that starts from the projection's own texts."""
    run = simulate(LOOP, generations=1, chains=20_000)
    right, wrong = (absorption(loop) for loop in (LOOP, Loop(NGram(1).project(SOURCE), samples=6)))
    answers = [Curve("ngrams", "ngrams", [chain.ngrams(k) for k in (0, 1)]) for chain in (right, wrong)]
    assert [agree(answer, run).verdict for answer in answers] == ["agree", "disagree"]


@pytest.mark.parametrize("metric", ["kl_source_model", "nll", "entropy"])
def test_the_price_is_paid_once(metric):
    """Assert the share h_1 - h of expressivity with infinitely long texts, at every generation."""
    price = NGram(1).divergence(SOURCE)
    endless = LOOP.without("statistical")
    assert value_at(endless, metric, 1) == value_at(endless, metric, 5)
    split = sources(endless, metric)
    assert same(split.shares["expressivity"], price)
    assert same(split.total, price)
    assert same(split.cells[CELLS[0]], value_at(endless.without("expressivity"), metric, 1))


def test_the_other_direction_has_its_own_price():
    """Assert KL(model || source) = -h_1 - E log P(y | ab) under the projection's texts, written out."""
    nearest = NGram(1).project(SOURCE)
    pi, P = nearest.stationary(), nearest.transitions or ()
    terms = (
        Rational(int(pi[a,].numerator), int(pi[a,].denominator))
        * P[a][b]
        * P[b][y]
        * log(P[b][y] / Rational(ROWS[2 * a + b][y]))
        for a, b, y in product(range(2), repeat=3)
    )
    assert same(value_at(LOOP.without("statistical"), "kl_model_source", 2), sum(terms))


def test_what_is_infinite_or_unknown_is_refused():
    """Assert refusals by name: divergences of counted texts, other sources, and texts read with another order."""
    with pytest.raises(NotClosed, match="infinite once"):
        value_at(LOOP, "kl_source_model", 1)
    with pytest.raises(NotClosed, match="infinite or none"):
        value_at(LOOP.without("statistical"), "w2", 1)
    with pytest.raises(NotClosed, match="no rate"):
        value_at(Loop(NGram(1), source=NGram(1, text="abab"), samples=oo), "nll", 1)
    with pytest.raises(ValueError, match="or transitions"):
        Loop(NGram(1), source=NGram(2, text="abab"))
    with pytest.raises(ValueError, match="hold no context of 2"):
        simulate(Loop(NGram(1), source=SOURCE, samples=2), generations=1, chains=1)
