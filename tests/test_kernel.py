"""What the kernel accepts, what it refuses, and that it says why.

The refusals matter more: a checker that accepts too much proves nothing, so every way in which a certificate can
be wrong or sly is a row of a table below.
"""

import ast
import copy
import pickle
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from proofs.kernel import Accepted, Rejected, check
from proofs.theorems.fixation import certificate as fixation

KERNEL = Path(__file__).resolve().parent.parent / "proofs" / "kernel"


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


def test_right_closed_form_is_accepted():
    """Assert that a true claim is accepted, with every obligation listed once and in order."""
    assert check(decay()) == Accepted(
        "induction_eq",
        (
            "the domain is not empty",
            "divisor M never vanishes",
            "base case of V",
            "induction step of V",
            "base case of drift",
            "induction step of drift",
        ),
    )


def test_answers_cannot_be_edited():
    """Assert that an acceptance is frozen, and that a refusal is a ValueError that survives pickling."""
    with pytest.raises(FrozenInstanceError):
        check(decay()).rule = "other"  # type: ignore[misc]
    refusal = pickle.loads(pickle.dumps(Rejected("step", "detail")))
    assert isinstance(refusal, ValueError)
    assert (refusal.obligation, refusal.detail, str(refusal)) == ("step", "detail", "step: detail")


@pytest.mark.parametrize(
    ("claim", "obligation", "detail"),
    [
        ("V0*b*2", "base case of V", "n = 0, M = 2, V0 = 1: claimed 2, true 1"),
        ("V0", "induction step of V", "n = 1, M = 2, V0 = 1: claimed 1, true 1/2"),
        ("V0*b + n*(n - 1)", "induction step of V", "n = 2, M = 2, V0 = 1: claimed 9/4, true 1/4"),
        ("V0*b + n*(M - 2)", "induction step of V", "n = 1, M = 3, V0 = 1: claimed 5/3, true 2/3"),
        ("V0*b + n*(n-1)*(n-2)*(n-3)*(n-4)*(n-5)", "induction step of V", "rational functions"),
    ],
)
def test_wrong_claim_is_refused_with_a_counterexample(claim, obligation, detail):
    """Assert that the failing obligation is named, with the least n and a small point where it fails."""
    with pytest.raises(Rejected) as refusal:
        check(claiming(claim))
    assert refusal.value.obligation == obligation
    assert detail in refusal.value.detail


@pytest.mark.parametrize(
    ("domain", "divisor", "accepted"),
    [
        ([], "M", False),
        (["M > 0"], "M", True),
        (["M != 0"], "M**3", True),
        (["M >= 0"], "M", False),
        (["M >= 0"], "M + n", False),
        (["M >= 0"], "M + n + 1", True),
        (["M > 0"], "M - 1", False),
        (["M - 1 >= 0"], "M - 1", False),
        (["M - 1 > 0"], "M - 1", True),
        (["M - 1 > 0"], "M*(M - 1)**2*(M + 1)", True),
        (["M - 1 > 0"], "M*(M - 2)", False),
        (["M - 3 > 0"], "(M - 1)*(M - 3)", True),
        (["M - 3 > 0"], "M**2 - 4*M + 3", True),
        (["M - 3 > 0"], "M**2 - 7*M + 12", False),
        (["2*M - 1 > 0"], "1 - 2*M", True),
        (["M - 1 > 0", "M - 3 > 0", "M - 2 > 0"], "M - 3", True),
        (["3 - M > 0", "M > 0"], "M - 3", True),
        (["3 - M >= 0", "M > 0"], "M - 3", False),
        (["3 - M >= 0", "M > 0", "3 - M > 0"], "M - 3", True),
        (["3 - M >= 0", "M - 1 >= 0"], "M", True),
        (["3 - M >= 0", "M - 1 >= 0"], "M - 2", False),
        (["3 - M >= 0", "M - 1 >= 0"], "(M - 4)*(M - 1/2)", True),
        (["M - V0 > 0"], "2*V0 - 2*M", True),
        (["M - V0 > 0"], "M + V0", False),
        (["M*V0 - 1 != 0"], "1 - M*V0", True),
        (["M*V0 - 1 >= 0"], "1 - M*V0", False),
        (["M - 1 > 0", "V0 > 0", "1 - V0 > 0"], "M*V0*(2 - V0) + 1 - V0", True),
        (["M - 1 > 0", "V0 > 0", "1 - V0 > 0"], "M - V0", True),
        (["M - 1 > 0", "V0 > 0", "1 - V0 > 0"], "M*V0 - 1", False),
        (["M - 1 >= 0", "V0 > 0", "1 - V0 >= 0"], "M - V0", False),
        ([], "M**2 + 1", True),
        ([], "M**2 + V0**2", False),
        ([], "n + 1", True),
        ([], "n", False),
        ([], "n - 1", False),
        ([], "M - M", False),
        ([], "0", False),
        ([], "-2", True),
        (["M > 0"], "1/M", True),
        (["M > 0"], "M**-2", True),
        (["M > 0"], "1/(M - 1)", False),
    ],
)
def test_divisors_must_be_proved_non_zero(domain, divisor, accepted):
    """Assert that a divisor passes exactly where bounds, hypotheses or factors keep it from zero."""
    point = {"M": "2", "V0": "1/2"} if "M - 3 > 0" not in domain else {"M": "4", "V0": "1/2"}
    point = {"M": "4", "V0": "1"} if any("M*V0" in text for text in domain) else point
    certificate = claiming(f"V0*({divisor})/({divisor})", domain=domain, witness=point, sequences={})
    certificate["unknowns"] = {"V": {"start": "V0", "next": "V"}}
    if accepted:
        assert any(text.startswith("divisor") for text in check(certificate).obligations)
        return
    with pytest.raises(Rejected, match="may vanish"):
        check(certificate)


def test_vanishing_divisor_is_named_with_its_domain():
    """Assert that the refusal names the divisor and the hypotheses that do not keep it from zero."""
    with pytest.raises(Rejected) as refusal:
        check(claiming("V0*b*(M - 2)/(M - 2)"))
    assert refusal.value.obligation == "divisor M - 2 may vanish"
    assert refusal.value.detail.startswith("M - 1 > 0, V0 > 0")


def test_divisor_is_checked_from_the_start_index_on():
    """Assert that 1/n is fine from n = 1 and refused from n = 0."""
    later = {
        "start": 1,
        "sequences": {},
        "unknowns": {"V": {"start": "V0", "next": "V*n/(n + 1)"}},
        "claim": {"V": "V0/n"},
    }
    assert check(decay(**later)).obligations[-1] == "induction step of V"
    with pytest.raises(Rejected, match="divisor n may vanish"):
        check(decay(**later | {"start": 0}))


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
    "too long": (claiming("+".join(["V0"] * 3000)), "expression"),
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
    check(decay())
    check(claiming("V0*b"))
    check(claiming("V0*b + 0*(b**8)**8"))
    for samples in (1, 2, 3):
        check(fixation(samples))


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


def test_chain_certificate_proves_absorption():
    """Assert that exact chances and times are accepted for M = 1, ..., 8, and the published times among them."""
    for samples in range(1, 9):
        assert check(fixation(samples)).rule == "absorbing_chain"
    assert fixation(2)["time"] == ["0", "2", "0"]
    assert fixation(4)["time"] == ["0", "107/29", "132/29", "107/29", "0"]


def sources() -> list[Path]:
    return sorted(KERNEL.glob("*.py"))


def test_kernel_stays_small():
    """Assert that whoever doubts a proof has at most 350 lines to read, no function longer than 25."""
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sources()) <= 350
    functions = [
        f for path in sources() for f in ast.walk(ast.parse(path.read_text())) if isinstance(f, ast.FunctionDef)
    ]
    assert max((f.end_lineno or 0) - f.lineno + 1 for f in functions) <= 25


def test_kernel_is_exact_and_alone():
    """Assert that the kernel holds no float and imports the standard library and itself only."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(getattr(node, "value", None), float | complex), path
            assert not (isinstance(node, ast.Name) and node.id in {"float", "eval", "exec"}), path
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                assert module.startswith("proofs.kernel") or module.split(".")[0] in sys.stdlib_module_names, path
