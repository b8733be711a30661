"""A fitted parameter that is multiplied at every fit by an independent factor of gamma type: x_k = x_(k-1) g_k.

What happens to such a loop, in law and almost surely, is read off the factors alone, so `drift` and `law` meet here.
The innovations say of themselves whether they are gamma, and no family is named.
"""

from collections.abc import Iterator

from attrs import frozen
from sympy import Expr, Symbol, gamma, log, polygamma

from theory.errors import NotClosed
from theory.families.base import Derivable
from theory.loop import Loop
from theory.step import Step, step

k = Symbol("k", integer=True, positive=True)
"""Number of the fit, 1 for the first."""


@frozen
class Walk:
    """x_n = start * prod_(k=1..n) scale(k) Gamma_k, with Gamma_k ~ Gamma(shape(k), 1) independent."""

    parameter: Expr
    start: Expr
    shape: Expr
    """Shape of the factor of fit k, an expression that may hold the symbol k."""
    scale: Expr
    """Scale of the factor of fit k."""

    @property
    def steady(self) -> bool:
        """Whether every factor has the same law."""
        return not (self.shape.has(k) or self.scale.has(k))

    def moment(self, s: Expr) -> Expr:
        """Return E g_k^s = scale^s Gamma(shape + s)/Gamma(shape), for Re s > -shape."""
        return self.scale**s * gamma(self.shape + s) / gamma(self.shape)

    @property
    def log_mean(self) -> Expr:
        """E log g_k = psi(shape) + log(scale)."""
        return polygamma(0, self.shape, evaluate=False) + log(self.scale)

    @property
    def log_variance(self) -> Expr:
        """Var log g_k = psi_1(shape)."""
        return polygamma(1, self.shape, evaluate=False)


def walk(loop: Loop, fit: Expr = k) -> Walk:
    """Return the parameter of the loop that is multiplied by independent gamma factors, with the factor of one fit.

    Args:
        loop: any loop with one step in closed form.
        fit: number of the fit, 1 for the first; the symbol k for all.

    Raises:
        NotClosed: no parameter is, or more than one.

    >>> from theory import Gaussian, Unbiased
    >>> found = walk(Loop(Gaussian(), estimator=Unbiased()))
    >>> found.parameter, found.shape, found.scale
    (V, M/2 - 1/2, 2/(M - 1))
    """
    found = list(_walks(loop, fit))
    if len(found) != 1:
        raise NotClosed(_refusal(loop, found))
    return found[0]


def whole_walk(loop: Loop) -> Walk:
    """Return `walk` of all fits, the first one too, or refuse a source whose sample is not of the family's law."""
    if (outside := loop.law.outside(loop.source)) is not None:
        raise NotClosed(
            f"source: the variance of a sample of {outside} points is no chi-square variable, so the first fit has a "
            "law of its own. Ask drift(loop) for what the later fits do, or expect(loop, of) for moments."
        )
    return walk(loop)


def refit(loop: Loop, fit: Expr = k) -> Step:
    """Return one fit of the whole model, or refuse a family that has none in closed form."""
    family = loop.law
    if not isinstance(family, Derivable):
        raise NotClosed(f"family: {type(family).__name__} has no refit in closed form. Ask simulate(loop).")
    return step(loop, family, tuple(family.source()), fit)


def _walks(loop: Loop, fit: Expr) -> Iterator[Walk]:
    source, one = loop.law.source(), refit(loop, fit)
    for parameter, update in one.update.items():
        factor = _reduced(update / parameter)
        letters = [law for law in one.laws if factor.free_symbols & set(law.symbols)]
        if len(letters) == 1 and (form := letters[0].gamma_form()) is not None:
            shape, unit = form
            scale = _reduced(factor / letters[0].symbols[0])
            if not (scale.free_symbols | shape.free_symbols) & {*one.state, *letters[0].symbols}:
                yield Walk(parameter, source[parameter], shape, scale * unit)


def _reduced(quotient: Expr) -> Expr:
    """Return the quotient in lowest terms; a product of numbers and one letter is, however large the numbers."""
    return quotient.cancel() if len(quotient.free_symbols) > 1 else quotient


def _refusal(loop: Loop, found: list[Walk]) -> str:
    name = type(loop.law).__name__
    if found:
        names = ", ".join(str(one.parameter) for one in found)
        return f"family: {name} multiplies {names} by factors of their own. Ask the loop of one coordinate."
    return (
        f"family: {name} has no variance or other parameter that {loop.estimator} in the regime {loop.regime} "
        f"with samples = {loop.samples} makes the last one times an independent chi-square factor, so no logarithm is "
        "a random walk. Ask a Gaussian loop in the replace regime, or expect(loop, of)."
    )
