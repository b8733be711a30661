"""A published result as a specimen: the loop it speaks of, what it says, where, and whether the engine agrees.

Formulas are typed in here and nowhere else, since they are claims of others that the engine is held to; nothing else
in the library reads them.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal

from attrs import evolve, field, frozen
from sympy import Expr, sympify

from theory.catalogue.comparison import at_most, same
from theory.catalogue.questions import Question
from theory.loop import Loop
from theory.symbols import n

Verdict = Literal["verified", "corrected", "asymptotic", "bound"]
Evidence = Literal["proved", "enclosed", "tested"]


@frozen(eq=False, kw_only=True)
class Specimen:
    """One published claim about one loop.

    ``verdict``: "verified", the formula is what the engine derives; "asymptotic", it is its leading term; "bound", it
    bounds it on the stated side; "corrected", it is not, for ``loop``: ``wrong`` says why, ``correct`` is the right
    form, and ``right_for`` the loop for which the published form holds, where there is one.

    ``evidence``: "proved", the difference from the formula, or from the right one, reduces to 0 with all symbols free,
    and what is not right is refuted at one point; "tested", the engine's exact numbers are compared at the ``points``
    alone; "enclosed", the same where the engine knows its number as an interval.

    >>> from theory.catalogue import SPECIMENS
    >>> one = next(one for one in SPECIMENS if one.name == "variance of a synthetic point, maximum likelihood")
    >>> one.published, one.agrees(), one.correct, one.agrees(one.correct), one.agrees(loop=one.right_for)
    (V0*(1 + n/M), False, V0, True, True)
    """

    name: str
    claim: str
    loop: Loop
    question: Question
    published: Expr = field(converter=sympify)
    source: str
    verdict: Verdict = "verified"
    wrong: str = ""
    correct: Expr | None = field(default=None, converter=lambda value: None if value is None else sympify(value))
    right_for: Loop | None = None
    note: str = ""
    side: Literal["=", "upper", "lower"] = "="
    points: tuple[Mapping[str, Any], ...] = ()
    evidence: Evidence = "proved"

    @cached_property
    def _own(self) -> Expr:
        return self.question.answer(self.loop)

    def derived(self, loop: Loop | None = None) -> Expr:
        """Return the engine's answer to the question, for this loop or for another."""
        return self._own if loop is None else self.question.answer(loop)

    def agrees(self, formula: Expr | None = None, loop: Loop | None = None) -> bool:
        """Return whether the published formula, or another, is what the engine derives, or bounds it.

        Raises:
            NoClosedForm: it is neither proved nor refuted.
        """
        claimed = self.published if formula is None else formula
        if not self.points:
            return same(self.derived(loop), claimed)
        return all(self._holds(claimed, loop or self.loop, point) for point in self.points)

    def _holds(self, claimed: Expr, loop: Loop, point: Mapping[str, Any]) -> bool:
        """Return whether the claim holds at numbers, given by name; n is the generation."""
        names = {symbol.name: symbol for symbol in loop.free_symbols | {n}}
        numbers = {k: v for k, v in point.items() if k != "n"}
        question = evolve(self.question, generation=sympify(point["n"])) if "n" in point else self.question
        derived = question.answer(loop.at(**numbers))
        value = claimed.subs({names[name]: sympify(number) for name, number in point.items()}).doit()
        if self.side == "=":
            return same(derived, value)
        return at_most(derived, value) if self.side == "upper" else at_most(value, derived)


def table(specimens: Iterable[Specimen]) -> str:
    """Return specimens as a Markdown table: claim, source, verdict with its evidence, and what is wrong or to know."""
    head = ["| claim | source | verdict | remark |", "| --- | --- | --- | --- |"]
    return "\n".join(head + [_line(one) for one in specimens])


def _line(one: Specimen) -> str:
    sign = {"=": "=", "upper": "<=", "lower": ">="}[one.side]
    claim = f"{one.claim}: `{one.question} {sign} {one.published}`"
    right = "" if one.correct is None else f"Right: `{one.correct}`."
    remark = " ".join(filter(None, (one.wrong, right, one.note)))
    cells = (claim, one.source, f"{one.verdict} ({one.evidence})", remark)
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
