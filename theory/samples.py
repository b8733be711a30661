"""Laws of samples beyond the textbook ones: of points with given moments, and of draws without replacement."""

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from math import comb, prod

from attrs import frozen
from sympy import Expr, S, Symbol, factorial2, ff
from sympy.functions.combinatorial.numbers import stirling

from theory.errors import NotClosed
from theory.innovations import ChiSquare, Law
from theory.points import Points


@frozen
class Sample(Law):
    """(sum y, sum y^2, ...) over ``size`` independent points y.

    E[prod_j (sum y^j)^a_j] adds over all partitions of the factors into blocks, one for each distinct point: (size)_k
    for k blocks, times the points' moments, in each block of the order that its factors add up to.
    """

    symbols: tuple[Symbol, ...]
    size: Expr
    points: Points

    def means(self) -> tuple[Expr, ...]:
        """Return size * (E y, E y^2, ...)."""
        return tuple(self.size * self.points.moment(j) for j in range(1, len(self.symbols) + 1))

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return the joint moment of whole orders."""
        _require_whole(powers, logs, "the sums of points that are not normal")
        return sum((ff(self.size, k) * weight for k, weight in self._blocks(tuple(map(int, powers))).items()), S.Zero)

    def exists(self, powers: Sequence[Expr]) -> Expr | None:
        """Return the condition of the highest moment needed."""
        return self.points.exists(sum(j * power for j, power in enumerate(powers, start=1)))

    @cached_property
    def _known(self) -> dict[tuple[int, ...], dict[int, Expr]]:
        return {(0,) * len(self.symbols): {0: S.One}}

    def _blocks(self, powers: tuple[int, ...]) -> dict[int, Expr]:
        """Return, by the number of blocks, the sum over partitions: the block of the first factor, then the others."""
        if powers not in self._known:
            first = next(j for j, power in enumerate(powers) if power)
            rest = tuple(power - (j == first) for j, power in enumerate(powers))
            total: dict[int, Expr] = {}
            for chosen in product(*(range(power + 1) for power in rest)):
                moment = self.points.moment(first + 1 + sum(j * i for j, i in enumerate(chosen, start=1)))
                ways = prod(map(comb, rest, chosen))
                left = tuple(power - i for power, i in zip(rest, chosen, strict=True))
                for k, weight in self._blocks(left).items():
                    total[k + 1] = total.get(k + 1, S.Zero) + ways * moment * weight
            self._known[powers] = total
        return self._known[powers]


@frozen
class Subset(Law):
    """(mean - pool mean, sum of squares) of ``size`` points drawn without replacement from ``population`` points.

    With S the pool's sum of squares: E d = 0, E d^2 = S (N - m)/(N m (N - 1)), E s = (m - 1) S/(N - 1). Higher moments
    need more of the pool than its mean and squares.
    """

    symbols: tuple[Symbol, Symbol]
    size: Expr
    population: Expr
    squares: Expr

    def means(self) -> tuple[Expr, ...]:
        """Return (0, (m - 1) S/(N - 1))."""
        return S.Zero, (self.size - 1) * self.squares / (self.population - 1)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return the moment of order (1, 0), (2, 0) or (0, 1)."""
        m, N = self.size, self.population
        known = {
            (1, 0): S.Zero,
            (2, 0): self.squares * (N - m) / (N * m * (N - 1)),
            (0, 1): (m - 1) * self.squares / (N - 1),
        }
        if any(logs) or tuple(powers) not in known:
            raise NotClosed(
                "regime: a subsample's moments beyond mean, V and mean^2 need more of the pool than its own mean and "
                "variance. Ask for polynomials of degree 2 in the data, or simulate(loop)."
            )
        return known[tuple(powers)]


@frozen
class Hypergeometric(Law):
    """Counts of the named types among ``draws`` of a pool: E prod (x_i)_k_i = (draws)_K prod (X_i)_k_i/(population)_K.

    K is the sum of the k_i and (x)_k the falling factorial.
    """

    symbols: tuple[Symbol, ...]
    draws: Expr
    population: Expr
    pool: tuple[Expr, ...]

    def means(self) -> tuple[Expr, ...]:
        """Return draws * X_i/population."""
        return tuple(self.draws * count / self.population for count in self.pool)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return the mixed raw moment of whole orders, through falling factorials."""
        _require_whole(powers, logs, "a count that may be 0")
        terms = [(S.One, 0)]
        for power, count in zip(powers, self.pool, strict=True):
            k = int(power)
            row = [(stirling(k, j) * ff(count, j), j) for j in range(1 if k else 0, k + 1)]
            terms = [(a * b, i + j) for a, i in terms for b, j in row]
        return sum((w * ff(self.draws, k) / ff(self.population, k) for w, k in terms), S.Zero)


@frozen
class TiltedSquares(Law):
    """(eps, y), eps ~ N(0, variance) and y = exp(rate (chi + eps^2/variance)) with chi ~ chi-square(df) beside it.

    Under the tilt exp(b rate q), q = chi + z^2, both parts are stretched by t = 1/(1 - 2 b rate):
    E[z^a q^j exp(b rate q)] = t^((df + 1 + a)/2 + j) E[z^a q^j], and log y = rate q.
    """

    symbols: tuple[Symbol, Symbol]
    variance: Expr
    df: Expr
    rate: Expr

    def means(self) -> tuple[Expr, ...]:
        """Return (0, E y)."""
        return S.Zero, self.moment((S.Zero, S.One), (0, 0))

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return E[eps^a y^b (log y)^j] for whole a and j and any real b."""
        (a, b), (none, j) = powers, logs
        if none or not (a.is_Integer and a >= 0):
            raise NotClosed(f"E[{self.symbols[0]}^{a}] of a deviate of both signs is no moment. Ask for whole powers.")
        if a % 2:
            return S.Zero
        stretch = 1 / (1 - 2 * b * self.rate)
        power = (self.df + 1) / 2
        return (
            self.variance ** (a // 2)
            * stretch ** (int(a) // 2 + j)
            * stretch**power
            * self._plain(int(a), j)
            * (self.rate**j)
        )

    def _plain(self, a: int, j: int) -> Expr:
        """Return E[z^a (chi + z^2)^j]."""
        squares = ChiSquare(Symbol("chi", positive=True), self.df)
        return sum(
            (comb(j, i) * squares.moment((S(i),), (0,)) * factorial2(a + 2 * (j - i) - 1) for i in range(j + 1)), S.Zero
        )

    def exists(self, powers: Sequence[Expr]) -> Expr | None:
        """Return 1 - 2 b rate."""
        return 1 - 2 * powers[1] * self.rate if powers[1] else None


def _require_whole(powers: Sequence[Expr], logs: Sequence[int], what: str) -> None:
    if any(logs) or not all(k.is_Integer and k >= 0 for k in powers):
        raise NotClosed(f"a fractional power or logarithm of {what} has no closed moments. Ask for whole powers.")
