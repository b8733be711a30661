"""The kernel against Python's own fractions: what it reads, expands, calls non-zero and accepts.

Expressions are drawn as text, so the oracle shares nothing with the kernel but the grammar of Python.
"""

import re
from fractions import Fraction
from itertools import combinations, product
from math import gcd

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from proofs.kernel import Rejected, check
from proofs.kernel.arithmetic import evaluate, expanded, formal, parse, prime
from proofs.kernel.domain import hypothesis, never_zero

NAMES = ("M", "V0", "n")
# Draws that divide by zero or fall outside the domain are thrown away, and a loaded machine is slow.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
numbers = st.fractions(min_value=-4, max_value=4, max_denominator=5)
points = st.fixed_dictionaries(dict.fromkeys(NAMES, numbers))


def oracle(text: str, point: dict[str, Fraction]) -> Fraction:
    """The value of `text` as Python computes it once every integer is a fraction."""
    return eval(re.sub(r"\b\d+\b", r"F(\g<0>)", text), {"F": Fraction, "__builtins__": {}}, dict(point))


def combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Sums, products, quotients and powers of what there is, with parentheses only where they were drawn."""
    bracketed = inner.map("({})".format)
    piece = inner | bracketed
    return (
        st.tuples(piece, st.sampled_from(["+", "-", "*", "/", " - ", " / "]), piece).map("".join)
        | st.tuples(st.sampled_from(NAMES) | bracketed, st.sampled_from(["**0", "**2", "**3", "**-1", "**-2"])).map(
            "".join
        )
        | piece.map("-{}".format)
    )


expressions = st.recursive(st.sampled_from([*NAMES, "0", "1", "2", "7", "12"]), combine, max_leaves=6)


def defined(text: str, point: dict[str, Fraction]) -> Fraction:
    try:
        value = oracle(text, point)
    except (ZeroDivisionError, SyntaxError):
        assume(False)
        raise
    return value


@settings(patient, max_examples=80)
@given(expressions, points)
def test_parser_reads_as_python_does(text, point):
    """Assert that a text has the value that Python gives it: precedence, signs, powers."""
    value = defined(text, point)
    assert evaluate(parse(text, NAMES), point, Fraction) == value


def at(polynomial, point: dict[str, Fraction]) -> Fraction:
    total = Fraction(0)
    for monomial, coefficient in polynomial.items():
        for name in NAMES:
            while monomial % prime(name) == 0:
                monomial //= prime(name)
                coefficient *= point[name]
        assert monomial == 1
        total += coefficient
    return total


def test_variables_have_primes_of_their_own():
    """Assert that no product of variables is another: their numbers are coprime in pairs, and stay what they are."""
    names = [f"x{k}" for k in range(60)]
    primes = [prime(name) for name in names]
    assert all(gcd(p, q) == 1 for p, q in combinations(primes, 2))
    assert min(primes) > 1
    assert [prime(name) for name in names] == primes


@settings(patient, max_examples=80)
@given(expressions, points)
def test_rational_function_has_the_values_of_its_text(text, point):
    """Assert that top/bottom of the expanded form is the value of the text wherever that is defined."""
    value = defined(text, point)
    function = formal(parse(text, NAMES))
    assert at(function.top, point) == value * at(expanded(function.bottom), point)
    assert at(expanded(function.bottom), point) != 0


@settings(patient, max_examples=60)
@given(expressions, expressions, points)
def test_difference_vanishes_only_between_equals(left, right, point):
    """Assert that a difference with an empty top is of texts that agree at the point, and x - x is one."""
    a, b = defined(left, point), defined(right, point)
    if not (formal(parse(left, NAMES)) - formal(parse(right, NAMES))).top:
        assert a == b
    assert not (formal(parse(left, NAMES)) - formal(parse(left, NAMES))).top


@settings(patient, max_examples=60)
@given(expressions, expressions, points)
def test_substitution_is_simultaneous(outer, inner, point):
    """Assert that M := inner, V0 := M is done at once: the new M is not replaced again."""
    values = {"M": defined(inner, point), "V0": point["M"], "n": point["n"]}
    value = defined(outer, values)
    replaced = formal(parse(outer, NAMES), M=formal(parse(inner, NAMES)), V0=formal(parse("M", NAMES)))
    assert at(replaced.top, point) == value * at(expanded(replaced.bottom), point)


DOMAINS = (
    [],
    ["M - 1 > 0"],
    ["M - 1 >= 0", "V0 > 0"],
    ["M > 0", "V0 > 0", "1 - V0 > 0"],
    ["M > 0", "V0 >= 0", "1 - V0 >= 0"],
    ["3 - 2*M > 0", "V0 != 0", "n >= 0"],
    ["M - V0 > 0", "M*V0 - 2 >= 0", "n - 1 >= 0"],
    ["M != 0", "V0 - 2 >= 0", "2 - V0 >= 0"],
)


def inside(domain: list[str], point: dict[str, Fraction]) -> bool:
    return all(eval(text, {"__builtins__": {}}, dict(point)) for text in domain)


@settings(patient, max_examples=80)
@given(
    st.sampled_from(DOMAINS),
    points,
    st.tuples(*[expressions.filter(lambda t: "/" not in t and "-1" not in t)] * 3),
)
def test_expression_with_a_zero_in_the_domain_is_not_passed(domain, zero, cofactors):
    """Assert that g1 (M - a) + g2 (V0 - b) + g3 (n - c) is not passed when the domain contains (a, b, c)."""
    assume(inside(domain, zero))
    terms = (f"({g})*({name} - ({zero[name]}))" for name, g in zip(NAMES, cofactors, strict=True))
    text = " + ".join(terms)
    assume(len(text) < 400)
    defined(text, zero)
    hypotheses = [hypothesis(h, NAMES) for h in domain]
    assert not never_zero(parse(text, NAMES), hypotheses)


@settings(patient, max_examples=80)
@given(st.sampled_from(DOMAINS), expressions, points)
def test_expression_called_non_zero_has_no_zero(domain, text, point):
    """Assert that what passes is not zero at a random point of the domain where it is defined."""
    assume(inside(domain, point))
    value = defined(text, point)
    hypotheses = [hypothesis(h, NAMES) for h in domain]
    assert value != 0 or not never_zero(parse(text, NAMES), hypotheses)


STEPS = ("x", "x + 1", "2*x", "x/(n + 1)", "M*x", "x + n", "M*x + 1", "x + 1/(M + n)", "x**2", "(n + 1)*x")
SEQUENCES = ("b", "b + 1", "2*b", "b/(n + 1)", "M*b", "M*b + 1", "b**2", "(n + 1)*b", "b + n")
CLAIMS = (
    "V0",
    "V0 + n",
    "V0*b",
    "b",
    "V0*b**2",
    "V0*n + b",
    "V0 + b - 1",
    "(b - 1)/(M - 1) + V0*b",
    "n*(n - 1)/2 + V0",
)


def proposal(step: str, sequence: str, claim: str) -> dict:
    return {
        "rule": "induction_eq",
        "index": "n",
        "start": 0,
        "symbols": ["M", "V0"],
        "domain": ["M - 1 > 0"],
        "witness": {"M": "2", "V0": "3"},
        "sequences": {"b": {"start": "1", "next": sequence}},
        "unknowns": {"x": {"start": "V0", "next": step}},
        "claim": {"x": claim},
    }


def accepted(certificate: dict) -> bool:
    try:
        return bool(check(certificate))
    except Rejected:
        return False


def test_accepted_claims_are_true():
    """Assert that of all recurrences with all claims those accepted are true for five steps, and are many."""
    proofs = [c for c in (proposal(*parts) for parts in product(STEPS, SEQUENCES, CLAIMS)) if accepted(c)]
    assert len(proofs) > 30
    for M, V0 in product((Fraction(2), Fraction(7, 3)), (Fraction(3), Fraction(-1, 2))):
        assert all(holds_for_five_steps(certificate, {"M": M, "V0": V0}) for certificate in proofs)


def holds_for_five_steps(certificate: dict, point: dict[str, Fraction]) -> bool:
    x, b = point["V0"], Fraction(1)
    for n in range(5):
        here = point | {"n": Fraction(n), "x": x, "b": b}
        if oracle(certificate["claim"]["x"], here) != x:
            return False
        x = oracle(certificate["unknowns"]["x"]["next"], here)
        b = oracle(certificate["sequences"]["b"]["next"], here)
    return True
