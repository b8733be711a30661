"""The moments of a multivariate Gaussian sample: of traces, quadratic forms, the inverse and the determinant.

A sample of m points of N(mu, Sigma) has mean mu + eps, eps ~ N(0, Sigma/m), and a scatter matrix W ~ Wishart(m - 1,
Sigma) about it, independent of each other. A fit is linear in W and quadratic in eps, whatever the regime.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import comb
from typing import Any

from attrs import evolve, field, frozen
from sympy import Add, Dummy, Expr, Mul, S, Symbol

from theory.bartlett import Bartlett
from theory.errors import NotClosed
from theory.innovations import Law
from theory.invariants import DETERMINANTS, MODEL, SHIFT, Array, Letter
from theory.networks import (
    Atom,
    Component,
    Edge,
    End,
    X,
    components,
    inverse_wishart,
    network,
    pairings,
    wishart,
)

Polynomial = dict[tuple[Component, ...], Expr]
"""Weights by product of components."""
Graph = tuple[Expr, list[Edge], list[End]]
"""A weight, edges and ends."""


@frozen
class Draw(Law):
    """``size`` points of N(., scale * covariance): W ~ Wishart(df, scale * covariance), eps ~ N(0, its covariance/m).

    A vector and a matrix; numbers made of them have their moments in `Sample`.
    """

    eps: Array
    scatter: Array
    size: Expr
    df: Expr
    covariance: Atom
    scale: Expr

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The error of the mean and the scatter matrix."""
        return self.eps, self.scatter

    def means(self) -> tuple[Expr, ...]:
        """Return 0 and df * scale * covariance."""
        return S.Zero, self.df * self.scale * Array(self.covariance)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Refuse: a matrix is no number."""
        del powers, logs
        raise NotClosed(f"family: {self.scatter} is a matrix. Ask for a trace, an entry or the determinant.")


@frozen(eq=False)
class Sample(Law):
    """The joint law of the letters of the next model, x its mean in place of delta and S its covariance in place of
    Sigma.

    Args:
        letters: the letters, in the state before.
        draws: what is random.
        mean: x = sum of weight * vector.
        covariance: S = sum of weight * matrix, given by one atom, or of weight * (u v' + v u')/2, given by two.
        dimension: d.
        value: the letter, or the number, of a component of the model and the source.
    """

    letters: tuple[Letter, ...]
    draws: tuple[Draw, ...]
    mean: Mapping[Atom, Expr]
    covariance: Mapping[tuple[Atom, ...], Expr]
    dimension: Expr
    value: Callable[[Component], Expr] = field(repr=False)
    _known: dict[Any, Any] = field(factory=dict, init=False, eq=False, repr=False)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """One symbol per letter: its value on the sample; for a determinant, divided by that of the covariance."""
        return tuple(Symbol(f"{x.name}_sample", real=True, positive=x.is_positive) for x in self.letters)

    @property
    def values(self) -> tuple[Expr, ...]:
        """The letters' values on the sample."""
        pairs = zip(self.letters, self.symbols, strict=True)
        return tuple(symbol * self._base if x.component in DETERMINANTS else symbol for x, symbol in pairs)

    @property
    def _base(self) -> Expr:
        """The determinant of the covariance that the first draw has."""
        draw = self.draws[0]
        return draw.scale**self.dimension * self.value(DETERMINANTS[draw.covariance != MODEL])

    @property
    def draw(self) -> Draw:
        """The one draw of which the scatter is the covariance, or `NotClosed`."""
        if len(self.draws) == 1 and self.covariance == {(self.draws[0].scatter.atom,): S.One}:
            return self.draws[0]
        raise NotClosed(
            "regime or estimator: the fit is not a multiple of one Wishart matrix, so its determinant and inverse have "
            "no moments in closed form. Ask for polynomials of Sigma, or take the replace regime and a plain estimator."
        )

    def means(self) -> tuple[Expr, ...]:
        """Return the mean of every letter."""
        size = len(self.letters)
        return tuple(self.moment([S(int(j == k)) for j in range(size)], [0] * size) for k in range(size))

    def exists(self, powers: Sequence[Expr]) -> Expr | None:
        """Return df - d + 1 + 2 (power of the determinant - degree in the inverse), where one of them is asked for."""
        exponent, degree = self._exponent(powers), self._inverse_degree(powers)
        asked = degree or any(x.component in DETERMINANTS for x in self.letters)
        if not asked or not self.draws or self._singular:
            return None
        return self.draws[0].df - self.dimension + 1 + 2 * min(exponent - degree, S.Zero)

    def moment(self, powers: Sequence[Expr], logs: Sequence[int]) -> Expr:
        """Return E of the product of powers and logarithms, in the letters of the model before."""
        self._check(powers, logs)
        exponent, order = self._exponent(powers), max(logs)
        product = tuple(x.component for x, power in self._plain(powers) for _ in range(int(power)))
        if exponent == 0 and order == 0:
            return self._written(self._expected(product))
        if self._refuse_singular(exponent, order):
            return S.Zero
        return self._weighted(product, exponent, order)

    def _weighted(self, product: tuple[Component, ...], exponent: Expr, order: int) -> Expr:
        """Return E[D^a (log D)^b f(W)] = (d/da)^b (E[D^a] E_(df + 2a) f(W)): the density times det^a is of its kind."""
        draw, df = self.draw, Dummy("nu")
        shifted = evolve(self, draws=(evolve(draw, df=df),))
        f = shifted._written(shifted._expected(product))
        bartlett = Bartlett(draw.df, self.dimension)
        slopes = [(2**j * f.diff(df, j)).subs(df, draw.df + 2 * exponent) for j in range(order + 1)]
        return Add(*(comb(order, j) * bartlett.moment(exponent, order - j) * slope for j, slope in enumerate(slopes)))

    def _exponent(self, powers: Sequence[Expr]) -> Expr:
        pairs = zip(self.letters, powers, strict=True)
        return sum((power for x, power in pairs if x.component in DETERMINANTS), S.Zero)

    def _plain(self, powers: Sequence[Expr]) -> Iterator[tuple[Letter, Expr]]:
        return ((x, power) for x, power in zip(self.letters, powers, strict=True) if x.component not in DETERMINANTS)

    def _inverse_degree(self, powers: Sequence[Expr]) -> Expr:
        return sum((power * x.component.word.count(MODEL.inverse) for x, power in self._plain(powers)), S.Zero)

    def _check(self, powers: Sequence[Expr], logs: Sequence[int]) -> None:
        for x, power, order in zip(self.letters, powers, logs, strict=True):
            if x.component not in DETERMINANTS and (order or not (power.is_Integer and power >= 0)):
                raise NotClosed(
                    f"family: powers other than 0, 1, 2, ... and the logarithm of {x.expr} are no moments of a Wishart "
                    "matrix. Ask for whole powers, for the determinant, or for one direction, as Sigma[0, 0]."
                )
        if self._inverse_degree(powers):
            self._refuse_singular(S.NegativeOne, 0)

    @property
    def _singular(self) -> bool:
        draw = self.draw
        return bool((draw.df < self.dimension) is S.true)

    def _refuse_singular(self, exponent: Expr, order: int) -> bool:
        """Return whether det W = 0, or raise where a logarithm or the inverse is asked for then."""
        if self._singular and (order or not exponent.is_positive):
            raise NotClosed(
                f"samples: {self.draw.size} points in {self.dimension} dimensions fit a covariance of rank "
                f"{self.draw.df}, which has determinant 0 and no inverse. Take M > d, or ask for rank(loop)."
            )
        return self._singular

    def _written(self, polynomial: Polynomial) -> Expr:
        return Add(*(weight * Mul(*map(self._letter, product)) for product, weight in polynomial.items()))

    def _letter(self, component: Component) -> Expr:
        value = self.value(component)
        if isinstance(value, Letter) and value.of_model and value not in self.letters:
            raise RuntimeError(f"{value} is missing in the state {self.letters}")
        return value

    def _expected(self, product: tuple[Component, ...]) -> Polynomial:
        """Return the expectation of a product of components of the sample."""
        key = tuple(sorted(product))
        if key not in self._known:
            total: Polynomial = {}
            for weight, edges, ends in self._pooled(*network(key)):
                for part, more, less in self._paired(edges, ends):
                    found = components(more, less)
                    total[found] = total.get(found, S.Zero) + weight * part
            self._known[key] = total
        return self._known[key]

    def _pooled(self, edges: list[Edge], ends: list[End]) -> Iterator[Graph]:
        """Yield the terms when x and S are written out as the combinations that they are."""
        choices = [self._edge(*edge) for edge in edges] + [self._end(*end) for end in ends]
        for terms in product(*choices):
            yield (
                Mul(*(weight for weight, _, _ in terms)),
                [edge for _, some, _ in terms for edge in some],
                [end for _, _, some in terms for end in some],
            )

    def _edge(self, atom: Atom, i: int, j: int) -> list[Graph]:
        if atom == MODEL.inverse:
            return [(S.One, [(self.draw.scatter.atom.inverse, i, j)], [])]
        if atom != MODEL:
            return [(S.One, [(atom, i, j)], [])]
        terms: list[Graph] = []
        for piece, weight in self.covariance.items():
            if len(piece) == 1:
                terms.append((weight, [(piece[0], i, j)], []))
            else:
                terms += [(weight / 2, [], [(u, i), (v, j)]) for u, v in (piece, piece[::-1])]
        return terms

    def _end(self, atom: Atom, i: int) -> list[Graph]:
        pairs = self.mean.items() if atom == SHIFT else [(atom, S.One)]
        return [(weight, [], [(u, i)]) for u, weight in pairs]

    def _paired(self, edges: list[Edge], ends: list[End]) -> Iterator[Graph]:
        """Yield the terms of the expectation over all draws."""
        random = {atom for draw in self.draws for atom in (draw.scatter.atom, draw.scatter.atom.inverse, draw.eps.atom)}
        kept = [edge for edge in edges if edge[0] not in random], [end for end in ends if end[0] not in random]
        options = [option for draw in self.draws for option in _options(draw, edges, ends, self.dimension)]
        for terms in product(*options):
            yield Mul(*(weight for weight, _ in terms)), kept[0] + [e for _, more in terms for e in more], kept[1]


Option = tuple[Expr, list[Edge]]


def _options(draw: Draw, edges: list[Edge], ends: list[End], dimension: Expr) -> Iterator[list[Option]]:
    """Yield, for each kind of random item of a draw, its pairings as (weight, edges)."""
    direct = [node for atom, *nodes in edges if atom == draw.scatter.atom for node in nodes]
    inverse = [node for atom, *nodes in edges if atom == draw.scatter.atom.inverse for node in nodes]
    errors = [node for atom, node in ends if atom == draw.eps.atom]
    if direct and inverse:
        raise NotClosed(
            "family: products of Sigma and its inverse have no moments here. Ask for each alone, or simulate(loop)."
        )
    if direct:
        yield _matched(wishart(len(direct) // 2), direct, draw.df, draw.covariance, draw.scale)
    if inverse:
        df = draw.df - dimension - 1
        yield _matched(inverse_wishart(len(inverse) // 2), inverse, df, draw.covariance.inverse, 1 / draw.scale)
    if errors:
        variance = draw.scale / draw.size
        yield [
            (variance ** len(pairing), [(draw.covariance, i, j) for i, j in pairing]) for pairing in pairings(errors)
        ]


def _matched(weights: Iterable[Any], nodes: list[int], df: Expr, atom: Atom, scale: Expr) -> list[Option]:
    factor = scale ** (len(nodes) // 2)
    return [(factor * w.subs(X, df), [(atom, nodes[a], nodes[b]) for a, b in pairing]) for w, pairing in weights]
