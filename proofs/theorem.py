"""A theorem and its proof, as values: the statement is for people, the certificate for the checker.

They are kept apart from the checker because they say what it cannot: which words the symbols stand for, and
what is taken on trust before the first equation is written down.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from proofs.kernel import check

Certificate = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Theorem:
    """A closed form of a self-consuming loop, with the certificate that proves it.

    Args:
        name: the file that states it.
        title: a few words.
        statement: the theorem in words, with its formula in plain text.
        latex: the formula.
        domain: in words, where it holds.
        observable: the quantity, a plain expression in fitted parameters, whose expectation is claimed.
        claim: the closed form of that expectation, a plain expression in n, M and source symbols.
        unknown: the unknown of the certificate that stands for it.
        certificate: what the checker reads, or a function that works it out.
        assumes: what is taken on trust, such as one-step moments; the certificate begins after them.
        source: where the result, or its ingredients, were published.
    """

    name: str
    title: str
    statement: str
    latex: str
    domain: str
    observable: str
    claim: str
    unknown: str
    certificate: Certificate | Callable[[], Certificate]
    assumes: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Proof:
    """What the checker accepted: the theorem, if there is one, the rule and every obligation it met."""

    theorem: Theorem | None
    rule: str
    obligations: tuple[str, ...]

    @property
    def assumes(self) -> tuple[str, ...]:
        """What the proof takes on trust: nothing for a bare certificate, which has only its recurrence."""
        return self.theorem.assumes if self.theorem else ()


def prove(theorem: Theorem | Certificate) -> Proof:
    """Check the certificate of a theorem, or a bare certificate, and return the proof.

    Raises:
        Rejected: names the first obligation that fails, with the smallest counterexample that was found.

    >>> from proofs.theorems.mle_variance_decay import THEOREM
    >>> prove(THEOREM).obligations[-1]
    'induction step of V'
    """
    accepted = check(_certificate(theorem))
    return Proof(theorem if isinstance(theorem, Theorem) else None, accepted.rule, accepted.obligations)


def _certificate(theorem: Theorem | Certificate) -> Certificate:
    if not isinstance(theorem, Theorem):
        return theorem
    return theorem.certificate() if callable(theorem.certificate) else theorem.certificate
