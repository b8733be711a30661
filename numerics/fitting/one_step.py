"""What one refit does to a variance, as a law: read off the step that every engine runs, never written down here.

Given model k - 1, the fitted variance of model k is

    V' = b + lambda_1 chi2_(nu_1) + .. + lambda_J chi2_(nu_J),    the chi-squares independent,

with b, lambda_j and nu_j expressions in V, the source's V0, the loop's symbols and the number of the fit: a pooled sum
of squares holds one chi-square for each part, and the squares between the means of the parts add one more. The fitted
mean is seen by nobody who has only the variance. Its distance from the source's mean is normal given the variances
before, with the variance B' = a^2 B + .., and is added up into the last chi-square. What V' itself tells of that
distance is left out; it changes the log likelihood of a fit by about M^(-2).
"""

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
class VarianceLaw:
    """V' = offset + sum_j scales[j] chi2(degrees[j]), and the mean square of the hidden mean after the fit."""

    offset: Expr
    scales: tuple[Expr, ...]
    degrees: tuple[Expr, ...]
    mean_square: Expr

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
    if type(loop.family) is not Gaussian or loop.source is not None:
        raise NotClosed(
            f"family: {loop.family} has no fitted variance that follows a known law. "
            "Ask for Loop(Gaussian(), ...), or for the vocabulary of a categorical loop."
        )
    plain = Gaussian()
    first, later = steps(Loop(plain, **_axes(loop)), plain, plain.state(None))
    return _law(first, plain, loop), _law(later, plain, loop)


def _axes(loop: Loop) -> dict:
    return {name: getattr(loop, name) for name in ("estimator", "regime", "sampling", "samples")}


def _law(refit: Step, family: Gaussian, loop: Loop) -> VarianceLaw:
    mu, V = family.mu, family.V
    if set(refit.state) != {mu, V} or not all(isinstance(law, Normal | ChiSquare) for law in refit.laws):
        raise NotClosed(
            f"regime: under {loop.regime} with {loop.estimator} and {loop.sampling} the next variance is no sum of "
            "chi-squares given this one. Ask for replace, accumulate, mixed or weighted."
        )
    seen = {mu: family.mu0 + _SHIFT}
    squares = [law for law in refit.laws if isinstance(law, ChiSquare)]
    normals = {_SHIFT: MEAN_SQUARE} | {law.symbol: law.variance for law in refit.laws if isinstance(law, Normal)}
    next_mean = (refit.update[mu].xreplace(seen) - family.mu0).expand()
    mean_square = sum((diff(next_mean, x).together() ** 2 * size for x, size in normals.items()), S.Zero)
    offset, parts = _parts(refit.update[V].xreplace(seen), squares, normals, loop)
    return VarianceLaw(offset, tuple(parts), tuple(parts.values()), mean_square)


def _parts(value: Expr, squares: list[ChiSquare], normals: dict, loop: Loop) -> tuple[Expr, dict[Expr, Expr]]:
    """Return the offset, and degrees by scale, of a variance that is linear in chi-squares and one squared normal."""
    drawn = [law.symbol for law in squares] + list(normals)
    poly = Poly(value, *drawn)
    zero = dict.fromkeys(drawn, S.Zero)
    parts = {together(diff(value, law.symbol).xreplace(zero)): law.df for law in squares}
    quadratic = {(x, y): diff(value, x, y).xreplace(zero) / 2 for x in normals for y in normals}
    linear = sum((abs(poly.coeff_monomial(x)) for x in normals), S.Zero)
    mixed = any(len([e for e in powers if e]) > 1 and any(powers[: len(squares)]) for powers in poly.monoms())
    if poly.total_degree() > 2 or linear != 0 or mixed or not _one_square(quadratic, list(normals)):
        raise NotClosed(
            f"regime: under {loop.regime} with {loop.estimator} the means enter the variance by more than one square. "
            "Ask for replace, accumulate or mixed."
        )
    between = together(sum((quadratic[x, x] * size for x, size in normals.items()), S.Zero))
    if between != 0:
        parts[between] = parts.get(between, S.Zero) + 1
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
