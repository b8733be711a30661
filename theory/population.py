"""`population`: a discrete loop with the statistical error off, as the deterministic map that is left.

With infinitely many samples a generation, model k is the law that model k - 1 is sampled from. Temperature, top-k and
top-p bend that law, no moment of them is polynomial, and yet every generation is exact.
"""

from collections.abc import Sequence
from functools import singledispatch

from attrs import frozen
from sympy import Add, Expr, Integer, S, limit, oo

from theory import symbols
from theory.errors import NotClosed
from theory.families.bernoulli import Bernoulli
from theory.families.categorical import Categorical
from theory.latex import latex
from theory.loop import Loop
from theory.regimes import Replace
from theory.sampling import Faithful, MinP, Sampling, Tempered, TopK, TopP

Chances = tuple[Expr, ...]


@frozen
class Population:
    """The laws of models 0, 1, ..., exact."""

    loop: Loop
    laws: tuple[Chances, ...]

    @property
    def supports(self) -> tuple[int, ...]:
        """The number of types with positive probability, by generation."""
        return tuple(sum(chance != 0 for chance in law) for law in self.laws)

    @property
    def settled(self) -> int | None:
        """The first generation from which nothing changes any more, None where that is not reached."""
        same = [one == two for one, two in zip(self.laws, self.laws[1:], strict=False)]
        return same.index(True) if True in same else None

    @property
    def limit(self) -> Chances:
        """The law that the laws tend to as the generations go on, which `settled` says whether they reach.

        Raises:
            NotClosed: a regime in which a fit sees more than the last model.
        """
        if not isinstance(self.loop.regime, Replace):
            raise NotClosed(
                f"regime: the limit under {self.loop.regime} is not followed here. Ask for more generations."
            )
        return tends_to(self.laws[0], self.loop.sampling)

    def _repr_latex_(self) -> str:
        rows = (rf"p_{{{k}}} &= ({', '.join(map(latex, law))})" for k, law in enumerate(self.laws))
        return r"$\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}$"


def population(loop: Loop, generations: int) -> Population:
    """Return the exact laws of models 0, ..., ``generations`` of a discrete loop with samples = oo.

    Args:
        loop: a categorical loop with its probabilities given, or a Bernoulli loop; any regime of real, earlier and
            synthetic parts; faithful, tempered, top-k or top-p sampling. The other error sources may be on.
        generations: number of refits, >= 0.

    Raises:
        ValueError: samples that are finite, or a number of generations below 0.
        NotClosed: another family, or a procedure that stops short of the fit.

    >>> from sympy import Rational
    >>> tenth = Categorical([Rational(1, 10)] * 10)
    >>> population(Loop(tenth, sampling=TopP(Rational(1, 2)), samples=oo), 4).supports
    (10, 5, 3, 2, 1)
    """
    if not loop.samples.is_infinite:
        raise ValueError(f"samples = {loop.samples}: a finite sample has no deterministic limit. Give samples=oo.")
    if generations < 0:
        raise ValueError(f"generations = {generations}. Give a whole number >= 0.")
    if not loop.estimator.keeps_statistics:
        raise NotClosed(f"estimator: {loop.estimator} is not followed here. Ask expect(loop, ...) of its parameters.")
    laws = [_source(loop.law)]
    for k in range(1, generations + 1):
        laws.append(_next(loop, laws, k))
    return Population(loop, tuple(laws))


def _source(family: object) -> Chances:
    if isinstance(family, Bernoulli):
        return family.p0, 1 - family.p0
    if isinstance(family, Categorical):
        return tuple(family.source().values())
    raise NotClosed(f"family: {type(family).__name__} is not discrete. Ask expect(loop, ...) with samples=oo.")


def _next(loop: Loop, laws: Sequence[Chances], k: int) -> Chances:
    """Return model k, the mean of its parts' laws by their shares of the data."""
    source, last, drawn = laws[0], laws[-1], distorted(laws[-1], loop.sampling)
    parts = loop.regime.parts(symbols.M, S(k))
    by_origin = {"real": source, "kept": source, "model": drawn, "past": last, "survivors": last}
    for part in parts:
        if part.origin == "mixture":
            by_origin["mixture"] = _mean([source, drawn], [part.share, 1 - part.share])
    whole = Add(*(part.size for part in parts))
    shares = [part.size / whole if part.weight is None else part.weight for part in parts]
    return _mean([by_origin[part.origin] for part in parts], [limit(share, symbols.M, oo) for share in shares])


def _mean(laws: Sequence[Chances], shares: Sequence[Expr]) -> Chances:
    return tuple(Add(*(w * p for w, p in zip(shares, column, strict=True))) for column in zip(*laws, strict=True))


def distorted(chances: Chances, sampling: Sampling) -> Chances:
    """Return the law that ``sampling`` draws from where the model is ``chances``.

    >>> from sympy import Rational
    >>> distorted((Rational(1, 2), Rational(1, 3), Rational(1, 6)), TopK(2))
    (3/5, 2/5, 0)
    """
    return _distorted(sampling, chances)


@singledispatch
def _distorted(sampling: Sampling, chances: Chances) -> Chances:
    del chances
    raise NotClosed(f"sampling: {sampling} is no distortion of a discrete law. Choose Tempered, TopK, TopP or MinP.")


@_distorted.register
def _(sampling: Faithful, chances: Chances) -> Chances:
    del sampling
    return chances


@_distorted.register
def _(sampling: Tempered, chances: Chances) -> Chances:
    """Return p_i^(1/tau)/sum_j p_j^(1/tau)."""
    return _normalised([chance ** (1 / sampling.tau) for chance in chances])


@_distorted.register
def _(sampling: TopK, chances: Chances) -> Chances:
    """Return the k largest, renormalised; of equal ones those named first are kept."""
    kept = set(_ranked(chances, sampling)[: int(sampling.k)])
    return _normalised([chance if i in kept else S.Zero for i, chance in enumerate(chances)])


@_distorted.register
def _(sampling: TopP, chances: Chances) -> Chances:
    """Return the fewest largest that hold at least p, renormalised; of equal ones those named first are kept."""
    kept: dict[int, Expr] = {}
    for i in _ranked(chances, sampling):
        if Add(*kept.values()) >= sampling.p:
            break
        kept[i] = chances[i]
    return _normalised([kept.get(i, S.Zero) for i in range(len(chances))])


@_distorted.register
def _(sampling: MinP, chances: Chances) -> Chances:
    """Return the types of at least p times the largest probability, renormalised."""
    best = chances[_ranked(chances, sampling)[0]]
    return _normalised([chance if chance >= sampling.p * best else S.Zero for chance in chances])


def tends_to(chances: Chances, sampling: Sampling) -> Chances:
    """Return the limit of the law that ``sampling`` distorts again and again.

    >>> from sympy import Rational
    >>> law = (Rational(1, 2), Rational(1, 3), Rational(1, 6))
    >>> tends_to(law, Tempered(Rational(1, 2))), tends_to(law, Tempered(2)), tends_to(law, TopP(Rational(3, 5)))
    ((1, 0, 0), (1/3, 1/3, 1/3), (1, 0, 0))
    """
    if isinstance(sampling, Tempered):
        return _frozen_or_molten(chances, sampling)
    while (after := distorted(chances, sampling)) != chances:  # a cut takes types away, or nothing
        chances = after
    return chances


def _frozen_or_molten(chances: Chances, sampling: Tempered) -> Chances:
    """Return the limit of p_i^(tau^-n)/sum_j p_j^(tau^-n): the most probable types below tau = 1, all above it."""
    best = chances[_ranked(chances, sampling)[0]]
    if sampling.tau == 1:
        return chances
    if sampling.tau > 1:
        return _normalised([Integer(chance != 0) for chance in chances])
    return _normalised([Integer(chance == best) for chance in chances])


def _ranked(chances: Chances, sampling: Sampling) -> list[int]:
    if not all(chance.is_number for chance in chances):
        raise ValueError(f"{sampling} ranks probabilities, and {chances} holds symbols. Put in numbers.")
    return sorted(range(len(chances)), key=lambda i: (-chances[i], i))


def _normalised(weights: Sequence[Expr]) -> Chances:
    total = Add(*weights)
    return tuple(weight / total for weight in weights)
