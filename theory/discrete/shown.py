"""How a chain of counts is shown: what it is in words, and one fit of it as a formula."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, ClassVar

from sympy import Expr, S

from theory.latex import latex


class Shown:
    """A chain of M = ``samples`` tokens from ``probabilities``, which prints in words and as LaTeX."""

    words: ClassVar[str]
    """What kind of chain it is."""
    samples: Any
    probabilities: tuple[Expr, ...]

    @property
    def rule(self) -> str:
        """One fit in LaTeX, what p_n is given p_(n-1)."""
        return self.drawn("p_{n-1}")

    def drawn(self, law: str) -> str:
        """Return Multinomial(M, law)/M in LaTeX."""
        M = latex(S(self.samples))
        return rf"\mathrm{{Multinomial}}({M}, {law}) / {M}"

    def __str__(self) -> str:
        """Return the chain in words."""
        types = len(self.probabilities)
        source = listed(map(str, self.probabilities))
        return f"{self.words} of M = {self.samples} tokens and {types} types, source [{source}]"

    def _repr_latex_(self) -> str:
        source = listed(map(latex, self.probabilities), r"\ldots")
        return rf"$p_n \mid p_{{n-1}} \sim {self.rule},\quad p_0 = \left({source}\right)$"


def listed(entries: Iterable[str], more: str = "...") -> str:
    """Return the entries in a row, of a long list the first four.

    >>> listed("abcde")
    'a, b, c, d, ...'
    """
    first = list(islice(entries, 5))
    return ", ".join(first[:4] + [more] * (len(first) > 4))
