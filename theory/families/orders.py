"""Markov sources of one order seen through another: what a shorter memory keeps, and what it costs per token.

The law of order k nearest to a source is its own law of a token given the k before it. What is lost is, per token, the
difference of two conditional entropies, and any other law of order k costs that and its distance from the nearest.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sympy import Add, Expr, Rational, S, log, oo
from sympy.polys.domains import QQ

Table = Mapping[tuple[int, ...], Sequence[Any]]
"""Context -> the probability of every token after it, elements of QQ."""
Weights = Mapping[tuple[int, ...], Any]
"""Context -> its stationary probability, an element of QQ."""


def shortened(table: Table, weights: Weights, order: int) -> Table:
    """Return P(y | c) = sum of pi(d) P(y | d)/sum of pi(d) over the contexts d that end in c, c of ``order`` tokens.

    A context of probability 0 is followed by any token alike.
    """
    letters = len(next(iter(table.values())))
    sums = {c: [QQ(0)] * letters for c in _ends(table, order)}
    for d, row in table.items():
        sums[_end(d, order)] = [a + weights[d] * p for a, p in zip(sums[_end(d, order)], row, strict=True)]
    totals = {c: sum(row, QQ(0)) for c, row in sums.items()}
    return {c: [x / totals[c] if totals[c] else QQ(1, letters) for x in row] for c, row in sums.items()}


def lengthened(table: Table, order: int) -> Table:
    """Return the same law told by contexts of ``order`` tokens, of which only the last ones matter."""
    letters, own = len(next(iter(table.values()))), len(next(iter(table)))
    contexts = [()]
    for _ in range(order):
        contexts = [(*c, y) for c in contexts for y in range(letters)]
    return {c: table[_end(c, own)] for c in contexts}


def rate(table: Table, weights: Weights, model: Table) -> Expr:
    """Return KL(source || model) = sum_d pi(d) sum_y P(y | d) log(P(y | d)/Q(y | end of d)), in nats per token.

    Infinite where the model rules out what the source says.
    """
    order = len(next(iter(model)))
    terms = []
    for d, row in table.items():
        for p, q in zip(row, model[_end(d, order)], strict=True):
            if weights[d] * p and not q:
                return oo
            terms.append(_fraction(weights[d] * p) * log(_fraction(p / q)) if weights[d] * p else S.Zero)
    return Add(*terms)


def entropy(table: Table, weights: Weights) -> Expr:
    """Return h = -sum_d pi(d) sum_y P(y | d) log P(y | d), in nats per token."""
    terms = ((weights[d] * p, p) for d, row in table.items() for p in row)
    return Add(*(-_fraction(w) * log(_fraction(p)) for w, p in terms if w))


def _end(context: tuple[int, ...], order: int) -> tuple[int, ...]:
    return context[len(context) - order :]


def _ends(table: Table, order: int) -> dict[tuple[int, ...], None]:
    return dict.fromkeys(_end(d, order) for d in sorted(table))


def _fraction(x: Any) -> Rational:
    return Rational(int(x.numerator), int(x.denominator))
