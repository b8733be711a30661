"""What the kernel refuses: every way in which a certificate can be wrong or sly is a row of a table.

These matter more than what it accepts, for a checker that accepts too much proves nothing. What the rows edit is
accepted unedited, so that the edit is what was refused.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from proofs.kernel import Accepted, Rejected, check
from proofs.theorems.fixation import certificate as fixation


def decay(**changes: object) -> dict:
    """E V_n = V0 (1 - 1/M)^n and E (mu_n - mu0)^2 = V0 - E V_n, with some fields replaced."""
    certificate = {
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0"],
        "domain": ["M - 1 > 0", "V0 > 0"],
        "witness": {"M": "2", "V0": "1"},
        "sequences": {"b": {"start": "1", "next": "(M - 1)/M*b"}},
        "unknowns": {
            "V": {"start": "V0", "next": "(M-1)/M*V"},
            "drift": {"start": "0", "next": "drift + V/M"},
        },
        "claim": {"V": "V0*b", "drift": "V0*(1 - b)"},
    }
    return copy.deepcopy(certificate | changes)


def claiming(text: str, **changes: object) -> dict:
    """The same with another claim on V, and no other unknown."""
    return decay(unknowns={"V": {"start": "V0", "next": "(M-1)/M*V"}}, claim={"V": text}, **changes)


def without(key: str) -> dict:
    certificate = decay()
    del certificate[key]
    return certificate


REFUSED = {
    # what earlier checkers let through
    "unused, ill-formed hypothesis": (decay(domain=["M - 1 > 0", "V0 > 0", "V0 is positive"]), "hypothesis"),
    "unused hypothesis on nothing known": (decay(domain=["M - 1 > 0", "V0 > 0", "Q > 0"]), "expression"),
    "sense <": (decay(domain=["1 - M < 0", "V0 > 0"]), "hypothesis"),
    "sense <=": (decay(domain=["M - 1 > 0", "-V0 <= 0"]), "hypothesis"),
    "sense =": (decay(domain=["M - 1 > 0", "V0 = 0"]), "hypothesis"),
    "sense ==": (decay(domain=["M - 1 > 0", "V0 == 0"]), "hypothesis"),
    "sense =>": (decay(domain=["M - 1 => 0", "V0 > 0"]), "expression"),
    "sense >>": (decay(domain=["M - 1 >> 0", "V0 > 0"]), "expression"),
    "two senses": (decay(domain=["M > 1 > 0", "V0 > 0"]), "expression"),
    "right side not zero": (decay(domain=["M > 1", "V0 > 0"]), "hypothesis"),
    "hypothesis with a division": (decay(domain=["1/M > 0", "V0 > 0"]), "hypothesis"),
    "hypothesis on the index": (decay(domain=["M - 1 > 0", "n - 1 > 0"]), "expression"),
    "hypothesis on a sequence": (decay(domain=["M - 1 > 0", "b > 0"]), "expression"),
    "hypothesis not text": (decay(domain=["M - 1 > 0", 1]), "hypothesis"),
    "negative start": (decay(start=-1), "certificate"),
    "empty domain": (decay(domain=["M - 1 > 0", "1 - M > 0"]), "the domain is not empty"),
    "empty domain by >=": (decay(domain=["M - 1 > 0", "1 - M >= 0"]), "the domain is not empty"),
    "impossible hypothesis": (decay(domain=["M - 1 > 0", "0 > 0"]), "the domain is not empty"),
    # the shape
    "not a table": (["induction_eq"], "rule"),
    "nothing": (None, "rule"),
    "unknown rule": (decay(rule="induction"), "rule"),
    "rule not text": (decay(rule=["induction_eq"]), "rule"),
    "unknown field": (decay(note="trust me"), "certificate"),
    **{f"no {key}": (without(key), "certificate") for key in decay() if key != "rule"},
    "no rule": (without("rule"), "rule"),
    "start as float": (decay(start=0.0), "certificate"),
    "start as truth value": (decay(start=False), "certificate"),
    "start as text": (decay(start="0"), "certificate"),
    "symbols as text": (decay(symbols="MV"), "certificate"),
    "symbols as table": (decay(symbols={"M": 1, "V0": 1}), "certificate"),
    "domain as text": (decay(domain="M > 0"), "certificate"),
    "no unknowns": (decay(unknowns={}, claim={}), "claim"),
    "recurrence without a start": (decay(sequences={"b": {"next": "b"}}), "recurrence"),
    "recurrence with a third field": (
        decay(sequences={"b": {"start": "1", "next": "b", "at": "2"}}),
        "recurrence",
    ),
    "claim on a stranger": (decay(claim={"V": "V0*b", "drift": "V0*(1 - b)", "W": "0"}), "claim"),
    "no claim on an unknown": (decay(claim={"V": "V0*b"}), "claim"),
    "witness without a symbol": (decay(witness={"M": "2"}), "witness"),
    "witness with a stranger": (decay(witness={"M": "2", "V0": "1", "n": "0"}), "witness"),
    "witness as number": (decay(witness={"M": 2, "V0": "1"}), "expression"),
    "witness as float": (decay(witness={"M": "2.5", "V0": "1"}), "expression"),
    "witness at infinity": (decay(witness={"M": "1/0", "V0": "1"}), "certificate"),
    "no JSON": (decay(claim={"V": {1, 2}}), "certificate"),
    # names
    "symbol twice": (decay(symbols=["M", "V0", "M"]), "name M"),
    "symbol and sequence": (
        decay(symbols=["M", "V0", "b"], witness={"M": "2", "V0": "1", "b": "1"}),
        "name b",
    ),
    "symbol and unknown": (
        decay(symbols=["M", "V0", "V"], witness={"M": "2", "V0": "1", "V": "1"}),
        "name V",
    ),
    "symbol and index": (decay(index="M"), "name M"),
    "sequence and unknown": (decay(sequences={"V": {"start": "1", "next": "V"}}), "name V"),
    "keyword": (decay(index="lambda"), "expression"),
    "constant": (decay(index="None"), "expression"),
    "number as name": (decay(index="1"), "name 1"),
    "expression as name": (decay(index="n + 1"), "expression"),
    "name in parentheses": (decay(index="(n)"), "expression"),
    "look-alike letter": (decay(symbols=["M", "V0", "\u039c"]), "expression"),
    "name not text": (decay(symbols=["M", "V0", ["M"]]), "certificate"),
    # expressions
    "undeclared name": (claiming("V0*b*Q"), "expression"),
    "unknown in its own claim": (claiming("V"), "expression"),
    "sequence in a recurrence": (
        decay(unknowns={"V": {"start": "V0", "next": "V0*b"}}, claim={"V": "V0*b"}),
        "expression",
    ),
    "index in a start": (decay(sequences={"b": {"start": "n + 1", "next": "b"}}), "expression"),
    "float": (claiming("1.0*V0*b"), "expression"),
    "float without digits": (claiming("1.*V0*b"), "expression"),
    "float with exponent": (claiming("1e0*V0*b"), "expression"),
    "hexadecimal": (claiming("0x1*V0*b"), "expression"),
    "underscored": (claiming("1_0*V0*b/10"), "expression"),
    "imaginary": (claiming("V0*b + 0j"), "expression"),
    "floor division": (claiming("V0*b//1"), "expression"),
    "remainder": (claiming("V0*b % 1"), "expression"),
    "call": (claiming("abs(V0*b)"), "expression"),
    "call by juxtaposition": (claiming("V0 (b)"), "expression"),
    "attribute": (claiming("V0.real*b"), "expression"),
    "comparison": (claiming("V0*b > 0"), "expression"),
    "condition": (claiming("V0 if b else V0"), "expression"),
    "truth value": (claiming("V0*b*True"), "expression"),
    "unary plus": (claiming("+V0*b"), "expression"),
    "tuple": (claiming("()"), "expression"),
    "empty": (claiming(""), "expression"),
    "two lines": (claiming("V0*b\n"), "expression"),
    "symbolic exponent": (claiming("V0*b**n"), "expression"),
    "fractional exponent": (claiming("V0*b**(1/2)"), "expression"),
    "huge exponent": (claiming("V0*b**65"), "expression"),
    "huge negative exponent": (claiming("V0*b*M**-65"), "expression"),
    "huge nested exponent": (claiming("V0*(b**8)**9"), "expression"),
    "tower of exponents": (claiming("V0*b**2**3"), "expression"),
    "too long": (claiming("+".join(["V0"] * 12_000)), "expression"),
    "too deep": (claiming("V0*b" + "-V0+V0" * 490), "certificate"),
    "integer of 5000 digits": (claiming("V0*b + " + "9" * 5000), "expression"),
    "too large to expand": (claiming("(V0 + M + n + 1)**13*(V0 + M + n + 2)**13"), "size of the certificate"),
    "sequence in a divisor": (claiming("V0*b*(b**2 + 1)/(b**2 + 1)"), "divisor"),
    "unknown in a divisor": (
        decay(unknowns={"V": {"start": "V0", "next": "V*V/V"}}, claim={"V": "V0"}),
        "divisor",
    ),
    "hidden zero divisor": (claiming("V0*b + 0/(M - M)"), "divisor"),
    "divisor under a zero": (claiming("V0*b + 0*(1/(M - 2))"), "divisor"),
    "zero to a negative power": (claiming("V0*b + 0*(M - 2)**-1"), "divisor"),
    "reciprocal of a reciprocal": (claiming("V0*b + 0/(1/(M - 2))"), "divisor"),
    "divisor of an unused sequence": (
        decay(sequences={"b": {"start": "1", "next": "(M - 1)/M*b"}, "d": {"start": "1/(M - 2)", "next": "d"}}),
        "divisor",
    ),
    # chains
    "another law": (fixation(3) | {"law": "moran"}, "certificate"),
    "wrong chance, right boundary": (fixation(3) | {"hit": ["0", "1/2", "1/2", "1"]}, "h = P h at 1"),
    "chances of the other type": (fixation(3) | {"hit": ["1", "2/3", "1/3", "0"]}, "boundary"),
    "constant chance": (fixation(2) | {"hit": ["1", "1", "1"]}, "boundary"),
    "wrong time": (fixation(3) | {"time": ["0", "3", "4", "0"]}, "t = 1 + P t > 0 at 1"),
    "time that starts late": (fixation(3) | {"time": ["1", "4", "4", "1"]}, "boundary"),
    "lists too short": (fixation(3) | {"hit": ["0", "1"], "time": ["0", "0"]}, "certificate"),
    "one list too long": (fixation(3) | {"time": ["0", "3", "3", "0", "0"]}, "certificate"),
    "text for a list": (fixation(1) | {"hit": "01", "time": "00"}, "certificate"),
    "table for a list": (fixation(1) | {"hit": {"0": 0, "1": 0}}, "certificate"),
    "no samples": (fixation(1) | {"samples": 0, "hit": ["0"], "time": ["0"]}, "certificate"),
    "samples as float": (fixation(2) | {"samples": 2.0}, "certificate"),
    "samples as truth value": (fixation(1) | {"samples": True}, "certificate"),
    "chance as float": (fixation(2) | {"hit": ["0", "0.5", "1"]}, "expression"),
    "chance as number": (fixation(2) | {"hit": [0, "1/2", 1]}, "expression"),
    "chance over zero": (fixation(2) | {"hit": ["0", "1/0", "1"]}, "certificate"),
    "chain with a spare field": (fixation(2) | {"start": 0}, "certificate"),
    "chain without times": ({k: v for k, v in fixation(2).items() if k != "time"}, "certificate"),
}


@pytest.mark.parametrize(("certificate", "obligation"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(certificate, obligation):
    """Assert that the certificate is refused, with the obligation at fault and a reason."""
    with pytest.raises(Rejected) as refusal:
        check(certificate)
    assert refusal.value.obligation.startswith(obligation), str(refusal.value)
    assert len(refusal.value.detail) > 3


def test_each_refused_certificate_was_one_edit_from_an_accepted_one():
    """Assert that what the table edits is accepted unedited, so that the edit is what was refused."""
    whole = [decay(), claiming("V0*b"), claiming("V0*b + 0*(b**8)**8"), *map(fixation, (1, 2, 3))]
    assert [check(one).rule for one in whole] == ["induction_eq"] * 3 + ["absorbing_chain"] * 3


def test_certificate_is_copied_before_it_is_read():
    """Assert that an object that answers differently each time is judged by one answer only."""

    class Sly(dict):
        asked = 0

        def __getitem__(self, key):
            self.asked += 1
            return super().__getitem__(key) if self.asked < 2 else "0"

    wrong = claiming("V0*b*2")
    assert check(Sly(claiming("V0*b"))).rule == "induction_eq"
    with pytest.raises(Rejected, match="base case of V"):
        check(Sly(wrong))


ODD = (None, True, 0, -1, 1.5, 10**30, "", "M", "n", "V", "1/0", "(", "a" * 50 + "!", [], ["M"], {}, {"M": "1"})


def replaced(part: Any, odd: object) -> Iterator[Any]:
    """`part` with one of its nodes, itself included, replaced."""
    yield odd
    if isinstance(part, dict | list):
        for key, inner in part.items() if isinstance(part, dict) else enumerate(part):
            for changed in replaced(inner, odd):
                copied = copy.copy(part)
                copied[key] = changed
                yield copied


@pytest.mark.parametrize("certificate", [decay(), fixation(2)], ids=["induction_eq", "absorbing_chain"])
def test_kernel_answers_whatever_it_is_given(certificate):
    """Assert that with any part replaced by any oddity the answer is `Accepted` or `Rejected`, seldom the first."""
    answers = []
    for odd in ODD:
        for changed in replaced(certificate, odd):
            try:
                answers.append(check(changed))
            except Rejected as refusal:
                answers.append(refusal)
    assert sum(isinstance(answer, Accepted) for answer in answers) < len(answers) / 20
