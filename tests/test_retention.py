"""What a text keeps: the bound on the loss against exact chains, the least share of real text, and the classes."""

from fractions import Fraction
from math import comb, exp, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.texts.data import Corpus
from numerics.texts.lexicon import lexicon, of_corpus
from numerics.texts.retention import exponent, retention

SHARES = st.fractions(0, 1, max_denominator=50)


def absent(samples, p, alpha, generations):
    """P(X_n = 0), n = 1.., for X ~ Binomial(M, alpha p + (1 - alpha) X/M), the first fit all real: the full matrix."""
    states = range(samples + 1)

    def law(q):
        return [comb(samples, k) * q**k * (1 - q) ** (samples - k) for k in states]

    rows = [law(alpha * p + (1 - alpha) * Fraction(x, samples)) for x in states]
    now, found = law(p), []
    for _ in range(generations):
        found.append(now[0])
        now = [sum(w * row[k] for w, row in zip(now, rows, strict=True)) for k in states]
    return found


@given(st.integers(1, 7), SHARES, SHARES)
def test_the_bound_holds(samples, p, alpha):
    """Assert P(X_n = 0) <= exp(-M p c_n) against the full chain in fractions."""
    for n, chance in enumerate(absent(samples, p, alpha, 5), start=1):
        assert float(chance) <= exp(-samples * p * exponent(n, float(alpha))) * (1 + 1e-12)


@pytest.mark.parametrize("alpha", [Fraction(0), Fraction(1, 10), Fraction(1, 2)])
def test_the_bound_is_sharp_for_rare_words(alpha):
    """Assert that bound and chance differ by less than p a generation, where they themselves fall by M p = 40 p."""
    samples, p = 40, Fraction(1, 200)
    for n, chance in enumerate(absent(samples, p, alpha, 4), start=1):
        assert 0 <= exp(-samples * p * exponent(n, float(alpha))) - float(chance) < p * n


def test_a_wrong_recursion_breaks_the_bound():
    """Assert that forgetting that lineages meet, u_(k+1) = (1 - alpha) u_k, gives no bound."""
    samples, p = 7, Fraction(1, 2)
    chance = absent(samples, p, Fraction(0), 4)[3]
    assert float(chance) > exp(-samples * p)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 50))
def test_more_real_text_keeps_more(one, two, n):
    """Assert that c_n grows with alpha from g_n, and never above the 1 of a fit to real text alone."""
    low, high = sorted((one, two))
    assert exponent(n, 0) <= exponent(n, low) + 1e-12 <= exponent(n, high) + 2e-12 <= 1 + 3e-12


@pytest.fixture
def rose():
    """A small text."""
    return of_corpus(Corpus("a rose is a rose is a rose said the poet to nobody but the wall " * 3))


def test_the_least_share_meets_its_promise(rose):
    """Assert that the share keeps what was asked, and that a thousandth less does not."""
    kept = retention(rose, samples=60, generations=[5])
    for generation in (5, inf):
        alpha = kept.share(0.9, generation)
        wanted = 0.9 * len(rose.words)
        assert kept.kept(alpha, generation) >= wanted > kept.kept(alpha * 0.999, generation)


def test_no_share_where_none_is_needed_or_none_is_enough(rose):
    """Assert 0 for what M tokens keep by themselves, and a refusal for what real text alone does not show."""
    assert retention(rose, samples=10_000, generations=[1]).share(0.5, 1) == 0
    with pytest.raises(ValueError, match="real text alone show"):
        retention(rose, samples=5).share(0.99)
    with pytest.raises(ValueError, match="no share of the words"):
        retention(rose, samples=5).share(0)


def test_classes_hold_every_word_once(rose):
    """Assert that the classes part the words, and that the mean of their losses is that of the support."""
    found = retention(rose, samples=30, generations=(1, 4, 16))
    assert sorted(word for one in found.classes for word in one.words) == sorted(rose.words)
    left = sum(len(one.words) * (1 - one.lost) for one in found.classes)
    np.testing.assert_allclose(left, found.support.value, rtol=1e-10)
    assert all(one.low <= two.low for one, two in zip(found.classes, found.classes[1:], strict=False))


def test_words_go_for_good(rose):
    """Assert that what is gone at one generation is gone at every later one, the rarest words first."""
    found = retention(rose, samples=30, generations=(1,))
    early, late = found.gone(3), found.gone(30)
    assert set(early) <= set(late)
    assert "rose" in late or set(late) < set(rose.words)


@pytest.mark.parametrize(
    ("options", "says"),
    [({"generations": ()}, "first fit on"), ({"generations": (0, 1)}, "first fit on"), ({"samples": -1}, "M = -1")],
)
def test_bad_questions_are_refused(rose, options, says):
    """Assert that refusals name the number."""
    with pytest.raises(ValueError, match=says):
        _ = retention(rose, **options).support


def test_a_list_of_shares_needs_a_size(tmp_path):
    """Assert that frequencies without counts ask for the number of samples."""
    path = tmp_path / "list.csv"
    path.write_text("word,share\nthe,0.5\nof,0.25\n")
    with pytest.raises(ValueError, match="Say how many"):
        retention(lexicon(path))
