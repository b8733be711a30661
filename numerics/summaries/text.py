"""Summaries as text, written as in Python: what spec files, the command line and provenance hold.

Read from the syntax tree; only the library's own names are called.
"""

import ast
from typing import Any

from numerics.summaries.base import Summary
from numerics.summaries.counts import Histogram, Passage, Share
from numerics.summaries.moments import Covariance, Extremes, Moments
from numerics.summaries.quantiles import Quantiles

KINDS: dict[str, Any] = {
    kind.__name__.lower(): kind for kind in (Moments, Extremes, Covariance, Quantiles, Histogram, Share, Passage)
}


def read(text: str) -> Summary:
    """Return the summary that a text says.

    Raises:
        ValueError: a name that is not known, or arguments that are wrong.

    >>> read("quantiles([0.5], error=0.001)"), read("moments")
    (Quantiles(levels=(0.5,), error=0.001), Moments())
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"summary {text!r} cannot be read. Write it as in Python, such as {EXAMPLE}.") from error
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    name = call.func.id.lower() if isinstance(call.func, ast.Name) else ""
    if name not in KINDS:
        raise ValueError(f"summary {text!r} is not known. Choose one of {', '.join(sorted(KINDS))}.")
    try:
        values = [_value(argument) for argument in call.args]
        return KINDS[name](*values, **{word.arg or "": _value(word.value) for word in call.keywords})
    except (TypeError, SyntaxError) as error:
        raise ValueError(f"summary {text!r} has the wrong arguments. Write it such as {EXAMPLE}.") from error


EXAMPLE = "quantiles([0.05, 0.5, 0.95]) or share(above=0.001)"


def _value(node: ast.expr) -> Any:
    """Return a number, a list of numbers, or a name as text."""
    if isinstance(node, ast.Name):
        return node.id
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise TypeError(str(error)) from error
