"""Monomials in a loop's state and its logarithms, and observables as combinations of them."""

from collections.abc import Iterable, Mapping

from attrs import frozen
from sympy import Add, Expr, Mul, Pow, S, Symbol, expand_log, log

from theory.errors import NotClosed
from theory.field import Element
from theory.symbols import n


@frozen(cache_hash=True)
class Monomial:
    """prod_x x^power(x) log(x)^order(x) over the state symbols x; powers may be negative or fractional."""

    powers: tuple[Expr, ...]
    logs: tuple[int, ...]

    def expr(self, values: Iterable[Expr]) -> Expr:
        """Return the monomial at the given symbols or values of the state."""
        pairs = tuple(zip(values, self.powers, self.logs, strict=True))
        return Mul(*(Pow(x, power) for x, power, _ in pairs), *(log(x) ** order for x, _, order in pairs if order))


Row = Mapping[Monomial, Element]
"""A linear combination of monomials with coefficients in a field."""


def linear(observable: Expr, state: tuple[Expr, ...]) -> dict[Monomial, Expr]:
    """Write an observable as a combination of monomials.

    Raises:
        NotClosed: it is not one.
        ValueError: it holds a symbol with a parameter's name that is not the parameter.

    >>> from theory.symbols import V
    >>> [(m.expr([V]), w) for m, w in linear(3 / V + log(V / 2), (V,)).items()]
    [(1, -log(2)), (1/V, 3), (log(V), 1)]
    """
    if impostors := (observable.free_symbols - set(state)) & _namesakes(observable, state):
        raise ValueError(
            f"{min(map(str, impostors))} in {observable} is not the family's parameter, only a symbol of that name. "
            "Take the parameter from the family, such as Gaussian.V."
        )
    combination: dict[Monomial, Expr] = {}
    for term in Add.make_args(expand_log(observable.expand()).expand()):
        weight, rest = term.as_independent(*state, as_Add=False)
        monomial = _monomial(rest, state)
        combination[monomial] = combination.get(monomial, S.Zero) + weight
    return combination


def _namesakes(observable: Expr, state: tuple[Expr, ...]) -> set[Expr]:
    """Return the symbols that read like a parameter; they need not be one, since assumptions make symbols differ."""
    names = {x.name for x in state if isinstance(x, Symbol)}
    return {x for x in observable.free_symbols if isinstance(x, Symbol) and x.name in names}


def _monomial(term: Expr, state: tuple[Expr, ...]) -> Monomial:
    powers, logs = dict.fromkeys(state, S.Zero), dict.fromkeys(state, 0)
    for factor in Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if base in powers and exponent.is_real and exponent.free_symbols.isdisjoint({*state, n}):
            powers[base] += exponent
        elif isinstance(base, log) and base.args[0] in logs and exponent.is_Integer and exponent > 0:
            logs[base.args[0]] += int(exponent)
        elif factor != 1:
            raise NotClosed(
                f"observable: {factor} is no power or logarithm of {', '.join(map(str, state))}. "
                "Ask for a polynomial in the parameters and their logarithms, or simulate(loop)."
            )
    return Monomial(tuple(powers.values()), tuple(logs.values()))
