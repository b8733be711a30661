"""Every theorem is proved, says what it claims, and stops being provable when one integer of it is changed.

The truth of a mutant is settled here by running its recurrence in fractions, which shares nothing with the checker.
"""

import copy
import re
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb, prod

import pytest

from proofs import Proof, Rejected, Theorem, prove
from proofs.theorems import ALL
from proofs.theorems.fixation import certificate as fixation

WANTED = {
    "unbiased_mean_variance",
    "mle_variance_decay",
    "unbiased_variance_spread",
    "unbiased_mean_drift",
    "mle_mean_drift",
    "mle_total_variance",
    "collision_decay",
    "fixation",
    "accumulate_variance",
    "accumulate_mean_drift",
}
INDUCTIONS = [theorem for theorem in ALL if theorem.name != "fixation"]
VALUES = [Fraction(value) for value in ("2", "1", "3", "1/2", "1/3", "7")]
theorems = pytest.mark.parametrize("theorem", ALL, ids=lambda theorem: theorem.name)
inductions = pytest.mark.parametrize("theorem", INDUCTIONS, ids=lambda theorem: theorem.name)


def value(text: str, here: dict[str, Fraction]) -> Fraction:
    """The value of `text` as Python computes it once every integer is a fraction."""
    return eval(re.sub(r"\b\d+\b", r"F(\g<0>)", text), {"F": Fraction, "__builtins__": {}}, dict(here))


def points(certificate: dict) -> list[dict[str, Fraction]]:
    """A dozen points of the domain, spread over a grid."""
    symbols = certificate["symbols"]
    grid = [dict(zip(symbols, values, strict=True)) for values in product(VALUES, repeat=len(symbols))]
    inside = [p for p in grid if all(eval(h, {"__builtins__": {}}, dict(p)) for h in certificate["domain"])]
    return inside[:: len(inside) // 12 + 1]


def orbit(certificate: dict, point: dict[str, Fraction]) -> Iterator[dict[str, Fraction]]:
    """The recurrence, generation after generation."""
    steps = certificate["sequences"] | certificate["unknowns"]
    state = {x: value(step["start"], point) for x, step in steps.items()}
    for n in range(certificate["start"], certificate["start"] + 5):
        here = point | state | {certificate["index"]: Fraction(n)}
        yield here
        state = {x: value(step["next"], here) for x, step in steps.items()}


def is_true(certificate: dict) -> bool:
    """Whether all claims hold for five generations at the sampled points; what is undefined there is not true."""
    try:
        return all(
            value(text, here) == here[x]
            for point in points(certificate)
            for here in orbit(certificate, point)
            for x, text in certificate["claim"].items()
        )
    except ZeroDivisionError:
        return False


def mutants(certificate: dict) -> Iterator[dict]:
    """The certificate with one integer of one expression changed, everywhere and by little."""
    for group in ("sequences", "unknowns", "claim"):
        for x, text in certificate[group].items():
            for field in (None,) if group == "claim" else ("start", "next"):
                for edited in edits(text if field is None else text[field]):
                    mutant = copy.deepcopy(certificate)
                    if field is None:
                        mutant[group][x] = edited
                    else:
                        mutant[group][x][field] = edited
                    yield mutant


def edits(text: str) -> Iterator[str]:
    for found in re.finditer(r"(?<![A-Za-z_\d])\d+", text):
        for change in (1, 2, -1):
            if (changed := int(found[0]) + change) >= 0:
                yield text[: found.start()] + str(changed) + text[found.end() :]


def proved(certificate: dict) -> bool:
    try:
        return bool(prove(certificate))
    except Rejected:
        return False


def test_all_theorems_are_found():
    """Assert that the files are discovered, each under its own name, once, and the wanted ones among them."""
    names = [theorem.name for theorem in ALL]
    assert set(names) >= WANTED
    assert len(set(names)) == len(names)
    assert all(sys.modules[f"proofs.theorems.{theorem.name}"].THEOREM is theorem for theorem in ALL)


@theorems
def test_theorem_is_proved(theorem):
    """Assert that the checker accepts the certificate, and that the proof says what it took on trust."""
    proof = prove(theorem)
    assert isinstance(proof, Proof)
    assert proof.theorem is theorem
    assert proof.obligations
    assert proof.assumes == theorem.assumes


@theorems
def test_statement_is_complete(theorem):
    """Assert that every part is filled in, and that the file opens with the title and the source."""
    text = sys.modules[f"proofs.theorems.{theorem.name}"].__doc__ or ""
    parts = [theorem.title, theorem.statement, theorem.latex, theorem.domain, theorem.observable, theorem.source]
    assert all(parts)
    assert theorem.assumes
    assert theorem.claim
    assert "Idea:" in text
    assert "Source:" in text


@inductions
def test_certificate_is_true_by_iteration(theorem):
    """Assert that running the recurrence in fractions gives the claimed values, at enough points."""
    assert len(points(theorem.certificate)) >= 6
    assert is_true(theorem.certificate)


@inductions
def test_claim_is_the_certificate_in_plain_words(theorem):
    """Assert that the closed form in n which is printed equals the unknown that the certificate proves."""
    assert theorem.unknown in theorem.certificate["claim"]
    for point in points(theorem.certificate):
        for here in orbit(theorem.certificate, point):
            assert closed(theorem.claim, here) == here[theorem.unknown]


def closed(claim: str, here: dict[str, Fraction]) -> Fraction:
    """The value of a claim, in which Product(f(k), (k, 1, n)) is multiplied out first."""
    found = re.search(r"Product\((.*), \(k, 1, n\)\)", claim)
    if found is None:
        return value(claim, here)
    factors = [value(found[1], here | {"k": Fraction(k)}) for k in range(1, int(here["n"]) + 1)]
    return value(claim.replace(found[0], "P"), here | {"P": prod(factors, start=Fraction(1))})


@inductions
def test_mutant_is_refused_or_true(theorem):
    """Assert that what is still accepted with one integer changed is still true, and that this is rare."""
    tried = list(mutants(theorem.certificate))
    survivors = [mutant for mutant in tried if proved(mutant)]
    assert all(is_true(mutant) for mutant in survivors)
    assert len(survivors) <= len(tried) / 20


@inductions
def test_wrong_claim_has_a_counterexample(theorem):
    """Assert that the claim times 51/50 is refused at the base case or step, and shown to be wrong at a point."""
    wrong = copy.deepcopy(theorem.certificate)
    wrong["claim"][theorem.unknown] = f"({wrong['claim'][theorem.unknown]})*51/50"
    with pytest.raises(Rejected, match=r"claimed .*, true ") as refusal:
        prove(wrong)
    assert refusal.value.obligation.split(" of ")[0] in {"base case", "induction step"}


@pytest.mark.parametrize("field", ["hit", "time"])
def test_mutant_chain_is_refused(field):
    """Assert that no other chance or time passes for M = 10: the solution is the only one."""
    right = fixation(10)
    for i, text in enumerate(right[field]):
        for edited in {*edits(text), "-" + text, "1/7"} - {text, "-0"}:
            if Fraction(edited or "0") != Fraction(text):
                assert not proved(right | {field: [*right[field][:i], edited, *right[field][i + 1 :]]})


def test_fixation_is_martingale_and_symmetric():
    """Assert that the certified chance of M = 10 is the share i/M, and that times are those of the mirrored count."""
    certificate = fixation(10)
    assert [Fraction(h) for h in certificate["hit"]] == [Fraction(i, 10) for i in range(11)]
    assert certificate["time"] == certificate["time"][::-1]


def test_collision_decay_agrees_with_the_exact_chain():
    """Assert that E sum p_i^2 of two types, from the binomial chain itself, follows the theorem for M = 1, ..., 6."""
    (theorem,) = [theorem for theorem in ALL if theorem.name == "collision_decay"]
    for M in range(1, 7):
        p = Fraction(2, 7)
        law = {p: Fraction(1)}
        for n in range(5):
            diversity = 1 - sum(weight * (q**2 + (1 - q) ** 2) for q, weight in law.items())
            here = {"M": Fraction(M), "F0": p**2 + (1 - p) ** 2, "n": Fraction(n)}
            assert diversity == closed(theorem.claim, here)
            law = refitted(law, M)


def refitted(law: dict[Fraction, Fraction], M: int) -> dict[Fraction, Fraction]:
    """The law of the share after one more fit to M draws."""
    after = dict.fromkeys((Fraction(j, M) for j in range(M + 1)), Fraction(0))
    for p, weight in law.items():
        for j in range(M + 1):
            after[Fraction(j, M)] += weight * comb(M, j) * p**j * (1 - p) ** (M - j)
    return after


def test_bare_certificate_is_proved():
    """Assert that `prove` takes a certificate by itself, and that it then rests on nothing but its own recurrence."""
    proof = prove(fixation(2))
    assert proof.theorem is None
    assert proof.assumes == ()
    assert proof.rule == "absorbing_chain"


def test_theorem_cannot_be_edited():
    """Assert that a theorem is frozen, and is itself and nothing else."""
    with pytest.raises(AttributeError):
        ALL[0].claim = "0"  # type: ignore[misc]
    assert isinstance(ALL[0], Theorem)
    assert len(set(ALL)) == len(ALL)


def test_theorems_are_stated_without_a_computer_algebra_system():
    """Assert that proving everything loads neither SymPy, JAX, theory nor numerics: the checker stands alone."""
    program = (
        "import sys\n"
        "from proofs import prove\n"
        "from proofs.theorems import ALL\n"
        "for theorem in ALL: prove(theorem)\n"
        "print(*{name.split('.')[0] for name in sys.modules} & {'sympy', 'jax', 'numpy', 'theory', 'numerics'})\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
