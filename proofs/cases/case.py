"""One case of the table of error sources: a loop, what is asked of it, and the numbers it is simulated at."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen
from sympy import Add, Expr, Function, S, Symbol, expand_log, oo

from proofs.claims import Source
from theory import Categorical, Loop, NGram, ProductCategorical, expect, risk
from theory.cells import log_variances, value_at
from theory.certificate import Certificate
from theory.errors import NoClosedForm, NotClosed

_SOURCE, _MODEL = Symbol("source"), Symbol("model")
METRICS: Mapping[str, Expr] = {
    "kl_source_model": Function("KL")(_SOURCE, _MODEL),
    "kl_model_source": Function("KL")(_MODEL, _SOURCE),
    "w2": Function("W_2")(_SOURCE, _MODEL) ** 2,
    "nll": Function("NLL")(_MODEL),
    "entropy": Function("h")(_MODEL),
    "log_variance": Function("log")(Symbol("V")),
    "support": Function("support")(_MODEL),
}
"""Metrics as they are written in the table."""
NAMES = {"kl_source_model": "KL(source || model)", "kl_model_source": "KL(model || source)", "w2": "W2"}
"""Metrics as titles name them, where their own names are none."""


@frozen
class Case:
    """A row that is to be: which error source, in which form.

    Args:
        title: what is done, in words.
        source: the error source that it shows, or "all".
        declare: the loop in symbols; a function, because a loop that cannot be declared is a row too.
        of: an expression in the family's parameters, or a metric of `numerics.metrics`.
        at: values of the loop's symbols.
        generations: n.
        note: what the row shows.
        effort: runs of the loop, as a multiple of those of the other rows.
    """

    title: str
    source: Source
    declare: Callable[[], Loop]
    of: Expr | str
    at: Mapping[str, Any] = field(factory=dict)
    generations: int = 3
    note: str = ""
    effort: float = 1.0

    @property
    def here(self) -> Loop:
        """The loop with its numbers."""
        loop = self.declare()
        known = {symbol.name for symbol in loop.free_symbols}
        return loop.at(**{name: value for name, value in self.at.items() if name in known})

    @property
    def observable(self) -> Expr:
        """What the row is about, as an expression."""
        return METRICS[self.of] if isinstance(self.of, str) else self.of

    def exact(self) -> float:
        """Return the exact value at generation n, or raise NotClosed or NoClosedForm."""
        if isinstance(self.of, str):
            return float(value_at(self.here, self.of, self.generations))
        return float(expect(self.here, self.of).at(n=self.generations))

    def off(self) -> float:
        """Return what the exact value is off by at most: nothing."""
        return 0.0

    def formula(self) -> tuple[Expr, tuple[Certificate, ...]]:
        """Return the closed form in n with its certificates, or raise NotClosed or NoClosedForm.

        Without randomness, where there is none in n, it is the exact value at the case's own n.
        """
        loop = self.declare()
        try:
            return self._in_n(loop)
        except (NotClosed, NoClosedForm):
            if loop.samples != oo or not isinstance(self.of, str):
                raise
            return value_at(self.here, self.of, self.generations), ()

    def _in_n(self, loop: Loop) -> tuple[Expr, tuple[Certificate, ...]]:
        if self.of == "log_variance":
            answers = [expect(loop, one) for one in log_variances(loop)]
            return Add(*(answer.expression for answer in answers)), sum((a.certificate for a in answers), ())
        if isinstance(self.of, str) and isinstance(loop.law, Categorical | NGram | ProductCategorical):
            raise NotClosed(f"metric: {self.of} of frequencies has no closed form in n. Ask for its value at one.")
        answer = self.answer(loop)
        formula = S(answer.expression)
        # Logarithms of numbers cancel once they are those of primes.
        return expand_log(formula, factor=True) if loop.samples == oo else formula, answer.certificate

    def answer(self, loop: Loop) -> Any:
        """Return what theory says of a loop, with its closed form."""
        return risk(loop, self.of) if isinstance(self.of, str) else expect(loop, self.of)  # type: ignore[arg-type]
