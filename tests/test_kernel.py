"""What the kernel accepts, why it refuses the rest, and that it stays small, exact and alone.

The divisors have a table of their own: a rational identity is worth nothing where its denominators vanish.
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
    assert type(refusal) is Rejected
    assert issubclass(Rejected, ValueError)
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
        (["M - V0 > 0", "V0 >= 0"], "M + V0", True),
        (["M - V0 > 0", "V0 >= 0"], "M - 1", False),
        (["M - V0 > 0", "V0 >= 0"], "V0*(n + 1) - M", False),
        (["M - V0 - 1 > 0", "V0 > 0"], "M*n + M - V0 - 1", True),
        (["M - V0 - 1 > 0"], "M*n + M - V0 - 1", False),
        (["M - V0 - 1 >= 0", "V0 > 0"], "M*n + M - V0 - 1", False),
        (["M - V0 - 1 >= 0", "V0 > 0"], "M*n + M - V0 - 1/2", True),
        (["M - V0**2 - 1 > 0"], "M", True),
        (["M - V0**2 - 1 > 0"], "M - V0", False),
        (["M - V0**2 - 1 > 0", "V0 > 0"], "M - V0", False),
        (["M - V0**2 - 1 > 0", "V0 > 0"], "M - V0**2", True),
        (["V0 - M > 0", "M - V0 + 7 > 0"], "M + V0", False),
        (["M - 1 > 0", "M - V0 > 0"], "M - V0 - 1/2", False),
        (["5 - M + V0 > 0"], "V0 + 6 - M", True),
        (["5 - M + V0 > 0"], "M - V0", False),
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
    point = {"M": "4", "V0": "1"} if any("V0" in text and "M" in text for text in domain) else point
    point = {"M": "4", "V0": "5"} if "V0 - M > 0" in domain else point
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


def test_chain_certificate_proves_absorption():
    """Assert that exact chances and times are accepted for M = 1, ..., 8, and the published times among them."""
    for samples in range(1, 9):
        assert check(fixation(samples)).rule == "absorbing_chain"
    assert fixation(2)["time"] == ["0", "2", "0"]
    assert fixation(4)["time"] == ["0", "107/29", "132/29", "107/29", "0"]


def sources() -> list[Path]:
    return sorted(KERNEL.glob("*.py"))


def test_kernel_stays_small():
    """Assert that whoever doubts a proof has at most 455 lines to read, no function longer than 25."""
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sources()) <= 455
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
