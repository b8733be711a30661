"""The categorical family: a law on K types, fitted by the sample frequencies.

Counts are multinomial. An observable touches finitely many types; all the others are lumped together, which is exact,
so a vocabulary of any size costs no more than the types that are named.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Self

from attrs import field, frozen
from sympy import Add, Dummy, Eq, Expr, Indexed, IndexedBase, Piecewise, Poly, Pow, S, Sum, Symbol, sign

from theory import symbols
from theory.errors import NotClosed
from theory.estimators import Estimator
from theory.exact import sequence
from theory.families.base import Batch, Derivable, Marginal, Parameters
from theory.innovations import Law, Multinomial
from theory.laws.dirichlet import Dirichlet
from theory.samples import Hypergeometric
from theory.sampling import Sampling


def _law(values: Iterable[object] | None) -> tuple[Expr, ...] | None:
    if values is None:
        return None
    chances = sequence(values, "p0")
    if not chances:
        raise ValueError("Categorical([]) has no types. Give at least one probability.")
    for k, chance in enumerate(chances):
        if chance.is_negative:
            raise ValueError(
                f"Categorical: probability {k} is {chance}, which is negative. Give numbers >= 0 that sum to 1."
            )
    total = Add(*chances)
    if total.is_number and total != 1:
        raise ValueError(
            f"Categorical: the {len(chances)} probabilities sum to {total}, not 1. Divide each by their sum."
        )
    return chances


def _short(values: tuple[Expr, ...] | None) -> str:
    """Return a law in a few characters; a long one by its size and a digest, so that two are told apart."""
    if values is None or len(values) <= 8:
        return repr(values)
    digest = sha256(repr(values).encode()).hexdigest()[:12]
    return f"<{len(values)} types, sha256 {digest}>"


@frozen
class Categorical(Derivable):
    """P(type i) = p[i], i = 0..K-1, with source probabilities p0[i].

    Args:
        probabilities: exact numbers or expressions >= 0 that sum to 1; None leaves K and p0[i] symbolic.

    Observables: `p[i]`, `collision` = sum_i p[i]^2, `vocabulary`, the number of types with p[i] > 0, and `absorbed`, 1
    when a single type is left.

    >>> from sympy import Rational
    >>> Categorical([Rational(1, 2)] * 2).source_value(0)
    1/2
    """

    tells_points = True
    p: ClassVar[IndexedBase] = symbols.p
    collision: ClassVar[Expr] = Sum(symbols.p[symbols.i] ** 2, (symbols.i, 0, symbols.K - 1))
    vocabulary: ClassVar[Expr] = Sum(sign(symbols.p[symbols.i]), (symbols.i, 0, symbols.K - 1))
    absorbed: ClassVar[Expr] = Piecewise((S.One, Eq(vocabulary, 1)), (S.Zero, True))

    probabilities: tuple[Expr, ...] | None = field(default=None, converter=_law, repr=_short)

    @property
    def types(self) -> Expr:
        """The number of types, the symbol K when the source is symbolic."""
        return symbols.K if self.probabilities is None else S(len(self.probabilities))

    def source_value(self, index: Expr | int) -> Expr:
        """Return p0[index]."""
        if self.probabilities is None or not S(index).is_Integer:
            return symbols.p0[index]
        if not 0 <= int(index) < len(self.probabilities):
            raise ValueError(f"type {index} does not exist: there are {len(self.probabilities)}. Count from 0.")
        return self.probabilities[int(index)]

    @property
    def free_symbols(self) -> set[Symbol]:
        """The symbols in the probabilities; a source without numbers counts as none, since it is no single symbol."""
        return {s for chance in self.probabilities or () for s in chance.free_symbols}

    def source(self) -> Parameters:
        """Return p0[i] for every type of a source given by numbers."""
        if self.probabilities is None:
            raise ValueError("Categorical() has a symbolic source. Give its probabilities as a list.")
        return {symbols.p[k]: chance for k, chance in enumerate(self.probabilities)}

    def state(self, observable: Expr) -> tuple[Expr, ...]:
        """Return the types that the observable names."""
        return tuple(sorted((x for x in observable.atoms(Indexed) if x.base == self.p), key=str))

    def start(self, state: Iterable[Expr]) -> Parameters:
        """Return p0[i] for each named type."""
        return {symbol: self.source_value(symbol.indices[0]) for symbol in state if isinstance(symbol, Indexed)}

    def batch(self, law: Parameters, size: Expr, label: str) -> Batch:
        """Return the counts of the named types, x ~ Multinomial(m; p)."""
        counts = tuple(Symbol(f"x{k}_{label}", nonnegative=True) for k in range(len(law)))
        return Batch(size, counts, (Multinomial(counts, size, tuple(law.values())),))

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the sums of the counts."""
        sums = tuple(a + b for a, b in zip(one.statistics, two.statistics, strict=True))
        return Batch(one.size + two.size, sums, one.laws + two.laws)

    def fit(self, batch: Batch, estimator: Estimator, state: Iterable[Expr]) -> Parameters:
        """Return p[i] = x_i/m."""
        del estimator
        return {symbol: count / batch.size for symbol, count in zip(state, batch.statistics, strict=True)}

    def unfit(self, law: Parameters, size: Expr, estimator: Estimator) -> Batch:
        """Return x_i = m p[i]."""
        del estimator
        return Batch(size, tuple(size * chance for chance in law.values()))

    def mixture(self, source: Parameters, model: Parameters, share: Expr, size: Expr, sampling: Sampling) -> Batch:
        """Return the counts of points with P(type i) = share p0[i] + (1 - share) p[i]."""
        here = self.distorted(model, sampling)
        return self.batch({x: share * source[x] + (1 - share) * chance for x, chance in here.items()}, size, "mixture")

    def drawn(self, law: Parameters, sampling: Sampling, size: Expr, fitted: Expr | None) -> Batch:
        """Return the counts; in the posterior predictive law P(type i) = (m p[i] + 1/2)/(m + K/2)."""
        if fitted is not None:
            whole = fitted + self.types / 2
            law = {x: (fitted * chance + S.Half) / whole for x, chance in law.items()}
        return self.batch(self.distorted(law, sampling), size, "model")

    def posterior(self, batch: Batch, state: Sequence[Expr]) -> tuple[Parameters, tuple[Law, ...]]:
        """Return p' ~ Dirichlet(x_i + 1/2), the posterior of the Jeffreys prior on K types."""
        draws = tuple(Symbol(f"p{k}_draw", positive=True) for k in range(len(batch.statistics)))
        weights = tuple(count + S.Half for count in batch.statistics)
        law = Dirichlet(draws, weights, batch.size + self.types / 2)
        return dict(zip(state, draws, strict=True)), (law,)

    def subsample(self, pool: Batch, size: Expr) -> Batch:
        """Return the counts among points drawn without replacement, multivariate hypergeometric."""
        counts = tuple(Symbol(f"x{k}_subset", nonnegative=True) for k in range(len(pool.statistics)))
        return Batch(size, counts, (*pool.laws, Hypergeometric(counts, size, pool.size, pool.statistics)))

    def remembered(self, batch: Batch, label: str, state: Sequence[Expr]) -> Parameters:
        """Return the frequencies x_i/m of the named types."""
        letters = _frequencies(label, len(state))
        return {x: count / batch.size for x, count in zip(letters, batch.statistics, strict=True)}

    def recalled(self, size: Expr, label: str, state: Sequence[Expr]) -> Batch:
        """Return the counts, m times the frequencies."""
        return Batch(size, tuple(size * x for x in _frequencies(label, len(state))))

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put into symbolic probabilities."""
        if self.probabilities is None:
            return self
        return type(self)([chance.subs(values) for chance in self.probabilities])

    def marginals(self, observable: Expr) -> tuple[Marginal, ...]:
        """Split sums over all types from the rest: E sum_i f(p[i]) = sum_i E f(p[i]), derived once for a general i."""
        sums, rest = [], []
        for term in Add.make_args(observable.expand()):
            weight, total = term.as_independent(Sum)
            (sums if isinstance(total, Sum) else rest).append((weight, total))
        pieces = [self._summed(weight, total) for weight, total in sums]
        if rest:
            pieces.append(Marginal(self, Add(*(weight * total for weight, total in rest))))
        return tuple(pieces)

    def _summed(self, weight: Expr, total: Expr) -> Marginal:
        if total.args[1:] != self.collision.args[1:]:
            raise NotClosed(f"{total} is not a sum over all types. Sum over (i, 0, K - 1).")
        return Marginal(Categorical(), weight * total.args[0], self._over_source, self._over_state)

    def _over_source(self, summand: Expr) -> Expr:
        return self.over_types(summand, symbols.p0)

    def _over_state(self, summand: Expr) -> Expr:
        return self.over_types(summand, symbols.p)

    def over_types(self, summand: Expr, base: IndexedBase) -> Expr:
        """Return sum_i summand, for a polynomial summand in base[i]; sum base[i] = 1 and sum 1 = K are put in."""
        x = base[symbols.i]
        # Powers such as ((M - 1)/M)**n are coefficients here, and stay as they are written.
        opaque = {power: Dummy() for power in summand.atoms(Pow) if power.exp.has(symbols.n)}
        back = {dummy: power for power, dummy in opaque.items()}
        terms = Poly(summand.xreplace(opaque), x).terms()
        return Add(*(weight.factor().xreplace(back) * self._power_sum(power, x) for (power,), weight in terms))

    def _power_sum(self, power: int, x: Expr) -> Expr:
        if power <= 1:
            return S.One if power else self.types
        if self.probabilities is None or x.base != symbols.p0:
            return Sum(x**power, (symbols.i, 0, symbols.K - 1))
        if power not in self._power_sums:
            self._power_sums[power] = Add(*(chance**power for chance in self.probabilities))
        return self._power_sums[power]

    @cached_property
    def _power_sums(self) -> dict[int, Expr]:
        return {}


def _frequencies(label: str, count: int) -> tuple[Symbol, ...]:
    return tuple(Symbol(f"p{k}_{label}", nonnegative=True) for k in range(count))
