"""Questions to loops on counts as absorbing chains: their answers are numbers, and so are the loops that are asked."""

from attrs import frozen
from sympy import Expr

from theory import symbols
from theory.absorption import absorption
from theory.catalogue.questions import Question
from theory.extinction import extinction
from theory.loop import Loop


@frozen
class FixationTime(Question):
    """E[first generation with one type left], at numbers."""

    def answer(self, loop: Loop) -> Expr:
        """Return the exact fraction."""
        return absorption(loop).expected_time()

    def __str__(self) -> str:
        """Return the time in words."""
        return "expected time to fixation"


@frozen
class Survival(Question):
    """P(more than one type is left at a generation), at numbers."""

    generation: Expr = symbols.n

    def answer(self, loop: Loop) -> Expr:
        """Return the exact fraction."""
        return absorption(loop).survival(n=int(self.generation))

    def __str__(self) -> str:
        """Return the probability in words."""
        return f"P(not absorbed by generation {self.generation})"


@frozen
class Present(Question):
    """P(the first type is not lost at a generation), at numbers."""

    generation: Expr = symbols.n

    def answer(self, loop: Loop) -> Expr:
        """Return the exact fraction."""
        return 1 - absorption(loop).lost(token=0, n=int(self.generation))

    def __str__(self) -> str:
        """Return the probability in words."""
        return f"P(type 0 present at generation {self.generation})"


@frozen
class Extinction(Question):
    """P(all counts are 0) at a generation, or -log of it over M rate0."""

    generation: Expr = symbols.n
    exponent: bool = False

    def answer(self, loop: Loop) -> Expr:
        """Return the exact probability or its exponent g_n."""
        chain, at = extinction(loop), int(self.generation)
        return chain.exponent(at) if self.exponent else chain.probability(at)

    def __str__(self) -> str:
        """Return the probability in words."""
        return f"{'-log of ' if self.exponent else ''}P(extinct at generation {self.generation})"
