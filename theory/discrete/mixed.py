"""Which chain a loop with real data is, and how much real data keeps a vocabulary."""

from bisect import bisect_left

from attrs import evolve
from sympy import Expr, Rational, S, ceiling, oo

from theory.discrete.fresh import Fresh
from theory.discrete.kept import Kept
from theory.discrete.neutral import Neutral, neutral
from theory.discrete.source import probabilities
from theory.errors import NotClosed
from theory.exact import exact
from theory.families.bernoulli import Bernoulli
from theory.families.categorical import Categorical
from theory.loop import Loop
from theory.regimes import Mixed, Replace

STEP = Rational(1, 1000)


def mixed(loop: Loop) -> Neutral | Fresh | Kept:
    """Return the chain of a loop under `Mixed`; a share of 0 is the neutral chain.

    Raises:
        ValueError: a symbolic M; a symbolic share of a fixed count.
    """
    regime = loop.regime
    assert isinstance(regime, Mixed)
    if not loop.samples.is_Integer:
        raise ValueError(
            f"samples = {loop.samples}: the states of a chain are counted. Put a number in with loop.at(M=...), "
            "or ask expect or stationary, which leave M symbolic."
        )
    if regime.alpha == 0:
        return neutral(evolve(loop, regime=Replace()))
    M, source = int(loop.samples), probabilities(loop)
    if regime.fresh:
        return Fresh(M, source, regime.alpha, regime.count == "bernoulli")
    if not regime.alpha.is_number:
        raise ValueError(
            f"alpha = {regime.alpha}: the kept tokens are counted. Put a number in with loop.at(alpha=...)."
        )
    return Kept(M, source, int(regime.alpha * M))


def real_share(loop: Loop, support: Expr | int, n: Expr | int = oo, *, within: Expr = STEP) -> tuple[Expr, Expr]:
    """Return two shares, too little and enough: E[types left at generation n] >= ``support`` from one between them on.

    More real data ends lines of descent earlier, so that the tokens descend from more draws of the source, and each
    expected loss falls: the answer is found by halving. Where alpha*M tokens are real, the two are neighbours.

    Args:
        loop: a categorical or Bernoulli loop with numbers under `Mixed`, whose own share is ignored.
        support: the expected number of types to keep, more than alpha = 0 keeps and at most what alpha = 1 keeps.
        n: the generation, oo for the long run.
        within: how close the two are for a Bernoulli count.

    Raises:
        ValueError: no share keeps as much, or every share does.
        NotClosed: another family or regime.

    >>> loop = Loop(Categorical([Rational(1, 4)] * 4), samples=8, regime=Mixed(0))
    >>> real_share(loop, 3)
    (1/8, 1/4)
    """
    if not isinstance(loop.family, Categorical | Bernoulli) or not isinstance(loop.regime, Mixed):
        raise NotClosed(f"{loop.regime} of {type(loop.family).__name__} mixes no real tokens in. Ask under Mixed.")
    wanted = exact(support, "support")
    steps = int(loop.samples if loop.regime.count == "fixed" else ceiling(1 / exact(within, "within")))

    def keeps(step: int) -> bool:
        chain = mixed(evolve(loop, regime=evolve(loop.regime, alpha=Rational(step, steps))))
        return bool((S.One if n == oo and step == 0 else chain.support(n)) >= wanted)

    if keeps(0) or not keeps(steps):
        raise ValueError(f"support = {wanted}: no real share, or every, keeps as many types. Ask for another number.")
    enough = bisect_left(range(1, steps + 1), True, key=keeps) + 1
    return Rational(enough - 1, steps), Rational(enough, steps)
