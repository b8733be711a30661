"""The chain of n-gram models against all texts: every text of M letters a state, every place of it written down.

Nothing here knows of counts or of models: a walk goes from place to place of the old text, and two texts that say the
same stay two.
"""

from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import QQ, Rational
from sympy.polys.matrices import DomainMatrix

from theory import Categorical, Loop, NGram, NotClosed, Tempered, absorption, expect
from theory.regimes import Accumulate

SIZES = [
    (letters, samples, order, end)
    for letters, longest in ((2, 6), (3, 4))
    for order in (0, 1, 2)
    for end in ("restart", "ring")
    for samples in range(order + 1, longest + 1)
    if order or end == "ring"
]
SOURCES = {
    2: ((Fraction(1, 3), Fraction(2, 3)), (Fraction(1, 2), Fraction(1, 2))),
    3: (
        (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
        (Fraction(0), Fraction(1, 4), Fraction(3, 4)),
        (Fraction(1), Fraction(0), Fraction(0)),
    ),
}


def transitions(letters, order):
    """Rows for every context: those of order 1 by the last letter, or by the sum of the last two."""
    rows = SOURCES[letters]
    if order < 2:
        return rows[: letters**order]
    return [rows[(a + b) % letters] for a in range(letters) for b in range(letters)]


def before(text, place, order, ring):
    """The last letters up to a place, in a ring or with a mark for what lies before the text."""
    places = range(place - order + 1, place + 1)
    return tuple(text[p % len(text)] if ring or p >= 0 else "^" for p in places)


def onward(text, place, order, ring):
    """Where a walk may go from a place of the old text, all alike."""
    size = len(text)
    here = before(text, place, order, ring)
    known = [p for p in range(size if ring else size - 1) if before(text, p, order, ring) == here]
    return [(p + 1) % size for p in known] or range(size)


def texts_of(text, samples, order, ring):
    """The law of the texts that walks over a text write."""
    law = {((text[p],), p): Fraction(text.count(text[p]), text.count(text[p]) * len(text)) for p in range(len(text))}
    for _ in range(samples - 1):
        longer = {}
        for (written, place), weight in law.items():
            after = onward(text, place, order, ring)
            for p in after:
                key = ((*written, text[p]), p)
                longer[key] = longer.get(key, Fraction(0)) + weight / len(after)
        law = longer
    found = {}
    for (written, _), weight in law.items():
        found[written] = found.get(written, Fraction(0)) + weight
    return found


class Chain:
    """The full chain on texts."""

    def __init__(self, letters, samples, order, end):
        self.letters, self.samples, self.order, self.ring = letters, samples, order, end == "ring"
        self.texts = list(product(range(letters), repeat=samples))
        self.laws = {text: texts_of(text, samples, order, self.ring) for text in self.texts}

    @cache  # noqa: B019
    def reached(self, text):
        """All texts that can come after, at any time."""
        found, waiting = set(), [text]
        while waiting:
            for after in self.laws[waiting.pop()]:
                if after not in found:
                    found.add(after)
                    waiting.append(after)
        return frozenset(found)

    def closed(self):
        """The sets of texts that are never left and all reach each other."""
        return {self.reached(text) for text in self.texts if all(text in self.reached(t) for t in self.reached(text))}

    def law(self, first, n):
        """The law of the text of generation n >= 1 from that of generation 1."""
        now = first
        for _ in range(n - 1):
            pushed = {}
            for text, weight in now.items():
                for after, chance in self.laws[text].items():
                    pushed[after] = pushed.get(after, Fraction(0)) + weight * chance
            now = pushed
        return now

    def solve(self, closed, right):
        """(I - Q) t = right on the texts in no closed set."""
        inner = [text for text in self.texts if text not in closed]
        rows = [[QQ(int(a == b)) - exact(self.laws[a].get(b, Fraction(0))) for b in inner] for a in inner]
        column = [[exact(right(text))] for text in inner]
        system = DomainMatrix(rows, (len(inner), len(inner)), QQ)
        solved = system.lu_solve(DomainMatrix(column, (len(inner), 1), QQ)).to_list_flat()
        return {text: Fraction(int(t.numerator), int(t.denominator)) for text, t in zip(inner, solved, strict=True)}

    def pairs(self, text):
        """The distinct (context, successor) of a text, contexts whole."""
        places = range(self.samples) if self.ring else range(self.order - 1, self.samples - 1)
        rows = ((before(text, p, self.order, self.ring), text[(p + 1) % self.samples]) for p in places)
        return {pair for pair in rows if "^" not in pair[0]}


def exact(value):
    """A fraction in SymPy's field."""
    return QQ(value.numerator, value.denominator)


@cache
def chain(*size):
    """The full chain of a size."""
    return Chain(*size)


def first(letters, samples, order):
    """The law of the first text: letters of a source long at work."""
    rows, law = transitions(letters, order), stationary(letters, order)
    for _ in range(samples - order):
        longer = {}
        for text, weight in law.items():
            context = sum(x * letters ** (order - 1 - j) for j, x in enumerate(text[len(text) - order :]))
            for y, chance in enumerate(rows[context]):
                if chance:
                    longer[*text, y] = longer.get((*text, y), Fraction(0)) + weight * chance
        law = longer
    return law


def stationary(letters, order):
    """The law of contexts that one more letter leaves as it is, by elimination of pi (I - P) = 0 with sum pi = 1."""
    contexts = list(product(range(letters), repeat=order))
    rows = transitions(letters, order)
    size = len(contexts)
    matrix = [[Fraction(int(a == b)) for b in range(size)] for a in range(size)]
    for c, context in enumerate(contexts):
        for y, chance in enumerate(rows[c]):
            to = contexts.index((*context, y)[1:]) if order else 0
            matrix[to][c] -= chance
    matrix[0] = [Fraction(1)] * size
    system = DomainMatrix([[exact(x) for x in row] for row in matrix], (size, size), QQ)
    solved = system.lu_solve(DomainMatrix([[QQ(int(j == 0))] for j in range(size)], (size, 1), QQ)).to_list_flat()
    weights = [Fraction(int(x.numerator), int(x.denominator)) for x in solved]
    return {context: weight for context, weight in zip(contexts, weights, strict=True) if weight}


def engine(letters, samples, order, end):
    """The engine's chain."""
    return absorption(Loop(NGram(order, transitions(letters, order), end=end), samples=samples))


def rotations(word):
    """All rotations of a word."""
    return {word[at:] + word[:at] for at in range(len(word))}


def cycles(letters, order, lengths):
    """All closed walks of contexts that pass none twice, one word for each, found among all words."""
    found = []
    for length in lengths:
        for word in product(range(letters), repeat=length):
            windows = {tuple(word[(at + j) % length] for j in range(order)) for at in range(length)}
            if len(windows) == length and not any(word in rotations(known) for known in found):
                found.append(word)
    return found


def repeats(text, word):
    """Whether a text repeats the word from its first letter to its last."""
    return any(all(text[p] == word[(p + at) % len(word)] for p in range(len(text))) for at in range(len(word)))


def absorbing(letters, samples, order, end):
    """The cycles that a text can say: of length <= M - k, or a divisor of M in a ring."""
    lengths = range(1, samples + 1 if end == "ring" else samples - order + 1)
    return cycles(letters, order, [length for length in lengths if end != "ring" or samples % length == 0])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_what_absorbs_are_the_cycles(size):
    """Assert that the closed sets of texts are one for each cycle: of length <= M - k, or a divisor of M in a ring.

    A single letter of order 0 counts as the cycle that it is.
    """
    words = absorbing(*size)
    closed = chain(*size).closed()
    assert len(closed) == len(words)
    for texts in closed:
        (word,) = [word for word in words if all(repeats(text, word) for text in texts)]
        assert texts == {text for text in chain(*size).texts if repeats(text, word)}


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_absorption_is_that_of_all_texts(size):
    """Assert times, cycles, survival, tokens, contexts and n-grams by generation, from a source of transitions."""
    letters = size[0]
    full, found, start = chain(*size), engine(*size), first(*size[:3])
    closed = {text: texts for texts in full.closed() for text in texts}
    times = full.solve(closed, lambda _: Fraction(1))
    assert found.expected_time() == 1 + sum(w * times.get(text, Fraction(0)) for text, w in start.items())
    assert sum(found.cycles().values()) == 1
    for texts in full.closed():
        hit = full.solve(closed, lambda text, t=texts: sum(w for to, w in full.laws[text].items() if to in t))
        chance = sum(w * hit.get(text, Fraction(int(text in texts))) for text, w in start.items())
        (word,) = [word for word in absorbing(*size) if all(repeats(text, word) for text in texts)]
        assert found.probability(word) == chance
    for n in (1, 2, 3):
        law = full.law(start, n)
        assert found.survival(n) == sum(w for text, w in law.items() if text not in closed)
        assert found.support(n) == sum(w * len(set(text)) for text, w in law.items())
        assert found.ngrams(n) == sum(w * len(full.pairs(text)) for text, w in law.items())
        assert found.contexts(n) == sum(w * len({c for c, _ in full.pairs(text)}) for text, w in law.items())
        for token in range(letters):
            assert found.lost(token, n) == sum(w for text, w in law.items() if token not in text)


def test_all_texts_are_no_tautology():
    """Assert that a planted slip in the reference shows: walks that may step from the last place of a text."""
    full = Chain(2, 4, 1, "ring")
    full.ring = False
    closed = {text: texts for texts in full.closed() for text in texts}
    times = full.solve(closed, lambda _: Fraction(1))
    slipped = 1 + sum(w * times.get(text, Fraction(0)) for text, w in first(2, 4, 1).items())
    assert engine(2, 4, 1, "restart").expected_time() != slipped


@pytest.mark.parametrize("samples", [1, 2, 5, 8])
def test_order_zero_in_a_ring_is_the_neutral_chain(samples):
    """Assert that tokens without memory are refitted as a categorical law is."""
    row = SOURCES[3][0]
    words, neutral = (absorption(Loop(f, samples=samples)) for f in (NGram(0, [row], end="ring"), Categorical(row)))
    assert words.expected_time() == neutral.expected_time()
    for token in range(3):
        assert words.probability([token]) == neutral.probability(token)
    for n in range(4):
        assert (words.survival(n), words.support(n)) == (neutral.survival(n), neutral.support(n))
        assert words.lost(0, n) == neutral.lost(0, n)


def sources():
    """Rows of two letters without a zero, in small fractions."""
    chance = st.fractions(Rational(1, 9), Rational(8, 9), max_denominator=9)
    return st.tuples(chance, chance).map(lambda pair: [[p, 1 - p] for p in pair])


@settings(max_examples=15)
@given(sources(), st.integers(2, 7), st.sampled_from(["restart", "ring"]))
def test_absorption_forgets_names(rows, samples, end):
    """Assert that letters may be renamed, that probabilities sum to one, and that what decays decays."""
    found = absorption(Loop(NGram(1, rows, end=end), samples=samples))
    other = absorption(Loop(NGram(1, [row[::-1] for row in rows[::-1]], end=end), samples=samples))
    assert found.expected_time() == other.expected_time()
    assert found.lengths() == other.lengths()
    assert sum(found.cycles().values()) == 1
    assert found.probability([0]) == other.probability([1])
    survival = [found.survival(n) for n in range(5)]
    assert survival == sorted(survival, reverse=True)
    assert sum(survival) <= found.expected_time()


@settings(max_examples=15)
@given(st.text("ab", min_size=3, max_size=6), st.sampled_from(["restart", "ring"]), st.integers(1, 2))
def test_a_text_as_source_is_one_more_generation(text, end, order):
    """Assert that a text is refitted as a model is: its chain is that of all texts, one generation on."""
    found = absorption(Loop(NGram(order, text=text, end=end), samples=len(text)))
    full = chain(2, len(text), order, end)
    start = full.laws[tuple(found.source.codes)]
    law = full.law(start, 2)
    assert found.support(2) == sum(w * len(set(t)) for t, w in law.items())
    assert found.ngrams(1) == sum(w * len(full.pairs(t)) for t, w in start.items())
    assert found.ngrams(0) == len(full.pairs(tuple(found.source.codes)))
    closed = {t: texts for texts in full.closed() for t in texts}
    times = full.solve(closed, lambda _: Fraction(1))
    asked = times.get(tuple(found.source.codes), Fraction(0))
    assert found.expected_time() == asked


def test_a_source_that_repeats_a_word_has_nothing_to_lose():
    """Assert that the chain of a cycle is absorbed at the source, unless M is too small to say the cycle again."""
    turn = NGram(1, [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    chain = absorption(Loop(turn, samples=5))
    assert chain.expected_time() == chain.survival(0) == 0
    assert chain.cycles() == {(0, 1, 2): 1}
    assert absorption(Loop(turn, samples=3)).expected_time() > 0
    letters = absorption(Loop(NGram(1, text="abab"), samples=4))
    assert letters.cycles() == {("a", "b"): 1}
    assert letters.probability("ba") == 1


@pytest.mark.parametrize(
    ("family", "problem"),
    [
        (lambda: NGram(-1), "order = -1"),
        (lambda: NGram(0), "order = 0"),
        (lambda: NGram(1, end=cast(Any, "stop")), "end = 'stop'"),
        (lambda: NGram(1, [[1]], text="ab"), "two sources"),
        (lambda: NGram(1, [[1, 0]]), "not 1 rows"),
        (lambda: NGram(1, [[Rational(1, 2)] * 2, [1, 1]]), "sum to 1"),
        (lambda: NGram(2, text="ab"), "hold no context"),
        (lambda: NGram(1, [[0.5, 0.5], [0.5, 0.5]]), "float"),
    ],
)
def test_what_is_no_source_is_refused(family, problem):
    """Assert that a wrong argument is refused by a sentence that names it."""
    with pytest.raises(ValueError, match=problem):
        family()


def test_what_does_not_close_is_refused_by_name():
    """Assert that moments, other axes and too many texts are refused, and what to ask instead is said."""
    half = [[Rational(1, 2)] * 2] * 2
    with pytest.raises(NotClosed, match="family: NGram"):
        expect(Loop(NGram(1, half)), NGram.vocabulary)
    for loop in (
        Loop(NGram(1, half), samples=3, regime=Accumulate()),
        Loop(NGram(1, half), samples=3, sampling=Tempered(2)),
    ):
        with pytest.raises(NotClosed, match="no chain of words"):
            absorption(loop)
    with pytest.raises(NotClosed, match=r"2\^50 texts"):
        absorption(Loop(NGram(1, half), samples=50))
    with pytest.raises(ValueError, match="needs numbers"):
        absorption(Loop(NGram(1, half)))
    with pytest.raises(ValueError, match="needs a source"):
        absorption(Loop(NGram(1), samples=3))
    with pytest.raises(ValueError, match="hold no context"):
        absorption(Loop(NGram(1, half), samples=1))
    with pytest.raises(ValueError, match="several stationary"):
        absorption(Loop(NGram(1, [[1, 0], [0, 1]]), samples=3)).support(1)
    with pytest.raises(ValueError, match="not of the source"):
        absorption(Loop(NGram(1, half), samples=3)).lost(2, 1)
