"""A loop from words: the command line's options to the one `Loop` that they declare."""

from collections.abc import Callable, Mapping
from typing import Any

from sympy import Expr, SympifyError, sympify

from theory import (
    MLE,
    Accumulate,
    Bernoulli,
    Faithful,
    Gaussian,
    Loop,
    Mixed,
    Replace,
    Scaled,
    Tempered,
    Unbiased,
    symbols,
)

FAMILIES: Mapping[str, Callable[[], Any]] = {"gaussian": Gaussian, "bernoulli": Bernoulli}
ESTIMATORS: Mapping[str, Callable[[], Any]] = {"mle": MLE, "unbiased": Unbiased}
REGIMES = ("replace", "accumulate", "mixed")


def loop_from(*, family: str, estimator: str, regime: str, alpha: str | None, tau: str | None, samples: str) -> Loop:
    """Return the loop that the options declare.

    Raises:
        ValueError: a name that is not known, or a value out of range.

    >>> loop_from(family="gaussian", estimator="mle", regime="replace", alpha=None, tau=None, samples="100").samples
    100
    """
    return Loop(
        _named("family", family, FAMILIES)(),
        estimator=ESTIMATORS[estimator]() if estimator in ESTIMATORS else Scaled(number("estimator", estimator)),
        regime=_regime(regime, alpha),
        sampling=Faithful() if tau is None else Tempered(number("tau", tau)),
        samples=number("samples", samples),
    )


def _regime(name: str, alpha: str | None) -> Any:
    if name == "mixed":
        return Mixed(symbols.alpha if alpha is None else number("alpha", alpha))
    if alpha is not None:
        raise ValueError(
            f"--alpha {alpha} is for the mixed regime, not {name!r}. Leave it out, or give --regime mixed."
        )
    return {"replace": Replace(), "accumulate": Accumulate()}[_named("regime", name, {r: r for r in REGIMES})]


def _named(option: str, name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise ValueError(f"--{option} {name!r} is not known. Choose one of {', '.join(known)}.")
    return known[name]


def number(option: str, text: str) -> Expr:
    """Return an exact number, fraction or symbol of the library from text; a decimal is read exactly, 0.1 as 1/10."""
    return _read(option, text, {name: value for name, value in vars(symbols).items() if isinstance(value, Expr)})


def observable_from(text: str, loop: Loop) -> Expr:
    """Return an observable of the loop's family from text, in its parameters and its source's symbols."""
    names: dict[str, Any] = {str(symbol): symbol for symbol in loop.law.source()}
    return _read("of", text, names | {s.name: s for s in loop.free_symbols if s.name not in names})


def _read(option: str, text: str, names: Mapping[str, Any]) -> Expr:
    try:
        expr = sympify(text, locals=dict(names), rational=True)
    except (SympifyError, TypeError, SyntaxError) as error:
        raise ValueError(
            f"--{option} {text!r} is no expression. Write it as in Python, for instance 1/10 or mu**2."
        ) from error
    unknown = {s.name for s in expr.free_symbols if isinstance(expr, Expr)} - set(names)
    if not isinstance(expr, Expr) or unknown:
        known = ", ".join(sorted(names))
        raise ValueError(
            f"--{option} {text!r} names {', '.join(sorted(unknown)) or 'no value'}, which is not known. Use {known}."
        )
    return expr
