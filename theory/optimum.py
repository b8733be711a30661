"""`best`: the weight, share or multiplier at which a quantity of a loop is least, exactly.

Where the closed form is a rational function of the symbol, its turning points are the roots of one polynomial, and the
least value is among these, the two ends and nothing else.
"""

from typing import Any

from attrs import frozen
from sympy import Expr, Poly, PolynomialError, S, Symbol, fraction, oo, real_roots

from theory import symbols
from theory.admissible import admissible
from theory.errors import NoClosedForm
from theory.exact import exact
from theory.latex import latex
from theory.loop import Loop
from theory.plan import scaled
from theory.quantities import Quantity, Question, positive, quantity


@frozen(eq=False)
class Best:
    """The value of a symbol at which a quantity is least, an exact algebraic number, and the least value."""

    quantity: Quantity
    symbol: Symbol
    horizon: Expr
    value: Expr
    attained: Expr

    def __str__(self) -> str:
        """Return both in exact form and in digits."""
        where = "in the long run" if self.horizon == oo else f"at generation {self.horizon}"
        return (
            f"{self.quantity.name} is least at {self.symbol} = {self.value} = {self.value.evalf(10)} {where}: "
            f"{self.attained.evalf(10)}"
        )

    def _repr_latex_(self) -> str:
        return rf"${latex(self.symbol)} = {latex(self.value)} \approx {self.value.evalf(8)}$"


def best(loop: Loop, of: Question, solve: Symbol, *, n: Any = oo, between: tuple[Any, Any] | None = None) -> Best:
    """Return the value of a loop's symbol at which a quantity is least, exactly, among the ends and turning points of
    its range for which the quantity exists.

    Args:
        loop: the loop, with numbers for its other symbols but for those that cancel, such as a scale V0.
        of: what is to be least, as in `plan`.
        solve: the symbol, of a closed form that is rational in it; a weight, a share or a multiplier.
        n: the generation, or oo for the limit.
        between: range of the symbol, as in `plan`.

    Raises:
        NoClosedForm: the closed form is not rational in the symbol, or symbols are left.
        ValueError: a symbol of whole numbers, or a range in which the quantity does not exist.

    >>> from sympy import Rational
    >>> from theory import Gaussian, Unbiased, Weighted
    >>> loop = Loop(Gaussian(), estimator=Unbiased(), regime=Weighted(symbols.w, Rational(1, 2)), samples=20)
    >>> print(best(loop, (Gaussian.mu - symbols.mu0) ** 2, symbols.w))
    E[(mu - mu0)**2] is least at w = -11/29 + 5*sqrt(35)/29 = 0.6407034109 in the long run: 0.06341306300
    """
    asked, horizon = quantity(loop, of), exact(n, "n")
    put = scaled(asked, solve, S.Zero, horizon)
    grid = admissible(loop, solve, between)
    if put is None or horizon == symbols.n:
        raise NoClosedForm(f"{asked.name} has more symbols than {solve} and no common scale. Put numbers in for them.")
    if grid.step:
        raise ValueError(
            f"{solve} takes whole counts of points alone. Ask plan for a bound, or leave samples a symbol."
        )
    here = asked.put(put)
    closed = here.closed(horizon).subs(symbols.n, horizon)
    points = [grid.low, *_turning(asked, closed, solve, grid.low, grid.high), grid.high]
    values = {x: closed.subs(solve, x) for x in points if _exists(here, solve, horizon, x)}
    if not values:
        raise ValueError(f"{asked.name} turns nowhere from {solve} = {grid.low} to {grid.high}. Give another range.")
    least = min(values, key=lambda x: values[x].evalf(60))
    return Best(asked, solve, horizon, least, values[least])


def _exists(asked: Quantity, solve: Symbol, horizon: Expr, at: Expr) -> bool:
    put = {solve: at, symbols.n: horizon}
    needed = ((condition.subs(put), strict) for condition, strict in positive(asked.conditions(horizon)))
    return all(value.evalf(30) > 0 if strict else value.evalf(30) != 0 for value, strict in needed)


def _turning(asked: Quantity, closed: Expr, solve: Symbol, low: Expr, high: Expr) -> list[Expr]:
    """Return the points between two where the derivative is 0."""
    try:
        slope = Poly(fraction(closed.diff(solve).together())[0], solve)
        exactly = slope.get_domain().is_Exact and not slope.free_symbols_in_domain
    except PolynomialError:
        exactly = False
    if not exactly:
        raise NoClosedForm(f"{asked.name} = {closed} is not rational in {solve}. Ask plan for a bound on it.")
    return [root for root in dict.fromkeys(real_roots(slope)) if low < root < high]
