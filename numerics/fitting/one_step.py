"""What one refit does to a variance, as a law: read off the step that every engine runs, never written down here.

Given model k - 1, the fitted variance of model k is

    V' = b + lambda_1 chi2_(nu_1) + .. + lambda_J chi2_(nu_J),    the chi-squares independent,

with b, lambda_j and nu_j expressions in V, the source's V0, the loop's symbols and the number of the fit: a pooled sum
of squares holds one chi-square for each part, and the squares between the means of the parts add one more. The fitted
mean is seen by nobody who has only the variance. Its distance from the source's mean is normal given the variances
before, with the variance B' = a^2 B + .., and is added up into the last chi-square. What V' itself tells of that
distance is left out; it changes the log likelihood of a fit by about M^(-2).

What a step remembers of the first fit and never changes, such as the statistics of real points that are kept, is made
of innovations of the first fit. They are the same numbers in every refit of a run. A chi-square one enters b, and is a
hidden number of the run; a normal one is hidden as the fitted mean is, and its covariance with it is carried along.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations

from attrs import frozen
from sympy import Dummy, Expr, Poly, S, Symbol, diff, together

from theory.errors import NotClosed
from theory.families import Gaussian
from theory.innovations import ChiSquare, Normal
from theory.loop import Loop
from theory.step import Step, steps

MEAN_SQUARE = Symbol("B", nonnegative=True)
"""E (mu - mu0)^2 of the model before, given the variances before."""

_SHIFT = Dummy("D", real=True)
"""mu - mu0 of the model before."""


@frozen
class Memory:
    """What every later refit of a run reads of the first fit.

    Args:
        statistics: the state symbols that stay as they are, by the innovations of the first fit that made them.
        squares: the chi-square ones among these innovations.
        means: the normal ones.
    """

    statistics: Mapping[Expr, Expr]
    squares: tuple[ChiSquare, ...]
    means: tuple[Normal, ...]

    @property
    def moments(self) -> tuple[Symbol, ...]:
        """The symbols of E (mu - mu0)^2, and of E (mu - mu0) x for the remembered normal innovations x."""
        return (MEAN_SQUARE, *(Symbol(f"B_{law.symbol}", real=True) for law in self.means))

    def covariance(self, innovations: Mapping[Expr, Expr]) -> Callable[[Expr, Expr], Expr]:
        """Return E x y, for mu - mu0, what is remembered, and innovations by their variances."""
        own = {law.symbol: law.variance for law in self.means}
        known = {(x, x): size for x, size in (own | dict(innovations)).items()}
        for x, moment in zip((_SHIFT, *own), self.moments, strict=True):
            known[_SHIFT, x] = known[x, _SHIFT] = moment
        return lambda x, y: known.get((x, y), S.Zero)


@frozen
class VarianceLaw:
    """V' = offset + sum_j scales[j] chi2(degrees[j]), and the `Memory.moments` after the fit.

    Remembered chi-squares are in the offset, under their own symbols.
    """

    offset: Expr
    scales: tuple[Expr, ...]
    degrees: tuple[Expr, ...]
    moments: tuple[Expr, ...]

    @property
    def reads_mean(self) -> bool:
        """Whether the hidden mean enters the variance."""
        return any(MEAN_SQUARE in scale.free_symbols for scale in self.scales)


def variance_laws(loop: Loop) -> tuple[VarianceLaw, VarianceLaw]:
    """Return the law of V' at the first fit and at fit n.

    Raises:
        NotClosed: a family without a variance, or a step that is no sum of independent chi-squares.

    >>> from theory import Unbiased
    >>> variance_laws(Loop(Gaussian(), estimator=Unbiased()))[0].scales
    (V/(M - 1),)
    """
    first, later = _steps(loop)
    known = _memory(first, later, loop)
    return _law(first, known, loop), _law(later, known, loop)


def memory(loop: Loop) -> Memory:
    """Return what a run of the loop remembers of its first fit.

    Raises:
        NotClosed: as `variance_laws`.

    >>> from theory import Mixed
    >>> [law.df for law in memory(Loop(Gaussian(), regime=Mixed("1/10", fresh=False))).squares]
    [M/10 - 1]
    """
    return _memory(*_steps(loop), loop)


def _steps(loop: Loop) -> tuple[Step, Step]:
    if type(loop.family) is not Gaussian or loop.source is not None:
        raise NotClosed(
            f"family: {loop.family} has no fitted variance that follows a known law. "
            "Ask for Loop(Gaussian(), ...), or for the vocabulary of a categorical loop."
        )
    plain = Gaussian()
    axes = {name: getattr(loop, name) for name in ("estimator", "regime", "sampling", "samples")}
    return steps(Loop(plain, **axes), plain, plain.state(None))


def _memory(first: Step, later: Step, loop: Loop) -> Memory:
    model = Gaussian().state(None)
    kept = {x: first.update[x] for x, value in later.update.items() if x not in model and value == x}
    held = {x for value in kept.values() for x in value.free_symbols}
    made = [law for law in first.laws if held & set(law.symbols)]
    if set(later.state) != {*model, *kept} or not all(isinstance(x, Normal | ChiSquare) for x in (*made, *later.laws)):
        raise NotClosed(
            f"regime: under {loop.regime} with {loop.estimator} and {loop.sampling} the next variance is no sum of "
            "chi-squares given this one. Ask for replace, accumulate, mixed with fresh or kept points, or weighted."
        )
    squares = tuple(law for law in made if isinstance(law, ChiSquare))
    if len(squares) > 1:
        raise NotClosed(
            f"regime: under {loop.regime} with {loop.estimator} a run remembers {len(squares)} sums of squares, and "
            "its curve hides them all. Ask for mixed with kept points."
        )
    return Memory(kept, squares, tuple(law for law in made if isinstance(law, Normal)))


def _law(refit: Step, known: Memory, loop: Loop) -> VarianceLaw:
    mu, V, mu0 = Gaussian.mu, Gaussian.V, Gaussian().mu0
    seen = {mu: mu0 + _SHIFT} | dict(known.statistics)
    drawn = [law for law in refit.laws if law not in (*known.squares, *known.means)]
    squares = [law for law in drawn if isinstance(law, ChiSquare)]
    sizes = {law.symbol: law.variance for law in drawn if isinstance(law, Normal)}
    hidden = [_SHIFT, *(law.symbol for law in known.means)]
    normals, covariance = [*hidden, *sizes], known.covariance(sizes)
    next_mean = (refit.update[mu].xreplace(seen) - mu0).expand()
    slopes = {x: diff(next_mean, x).together() for x in normals}
    moments = [_sum(slopes[x] * slopes[y] * covariance(x, y) for x in normals for y in normals)]
    moments += [_sum(slopes[x] * covariance(x, y) for x in normals) for y in hidden[1:]]
    value = refit.update[V].xreplace(seen)
    quadratic = _quadratic(value, [law.symbol for law in (*known.squares, *squares)], normals, loop)
    offset, parts = _parts(value, squares, {pair: size * covariance(*pair) for pair, size in quadratic.items()})
    return VarianceLaw(offset, tuple(parts), tuple(parts.values()), tuple(moments))


def _sum(terms: Iterable[Expr]) -> Expr:
    return sum(terms, S.Zero)


def _quadratic(value: Expr, squares: list, normals: list, loop: Loop) -> dict[tuple[Expr, Expr], Expr]:
    """Return the coefficients of products of normals in a variance that is, beside them, linear in chi-squares."""
    poly = Poly(value, *squares, *normals)
    zero = dict.fromkeys((*squares, *normals), S.Zero)
    form = {(x, y): diff(value, x, y).xreplace(zero) / 2 for x in normals for y in normals}
    linear = _sum(abs(poly.coeff_monomial(x)) for x in normals)
    mixed = any(any(powers[: len(squares)]) and sum(powers) > 1 for powers in poly.monoms())
    if poly.total_degree() > 2 or linear != 0 or mixed or not _one_square(form, normals):
        raise NotClosed(
            f"regime: under {loop.regime} with {loop.estimator} the means enter the variance by more than one square. "
            "Ask for replace, accumulate or mixed."
        )
    return form


def _parts(value: Expr, squares: list[ChiSquare], between: dict) -> tuple[Expr, dict[Expr, Expr]]:
    """Return the offset, and degrees by scale, the mean of the squares between the means being the last scale."""
    zero = dict.fromkeys((*(law.symbol for law in squares), *{x for pair in between for x in pair}), S.Zero)
    parts = {together(diff(value, law.symbol).xreplace(zero)): law.df for law in squares}
    last = together(_sum(between.values()))
    if last != 0:
        parts[last] = parts.get(last, S.Zero) + 1
    return together(value.xreplace(zero)), parts


def _one_square(quadratic: dict, normals: list) -> bool:
    """Return whether a quadratic form is a multiple of one square: every 2 x 2 minor is 0."""
    rows = [[quadratic[x, y] for y in normals] for x in normals]
    minors = (
        (a[i] * b[j] - a[j] * b[i]).together().cancel()
        for a, b in combinations(rows, 2)
        for i in range(len(normals))
        for j in range(i)
    )
    return all(minor == 0 for minor in minors)
