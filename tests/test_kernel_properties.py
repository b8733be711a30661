"""The kernel against Python's own fractions: what it reads, expands, calls non-zero and accepts.

Expressions are drawn as text, so the oracle shares nothing with the kernel but the grammar of Python.
"""

import re
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from proofs.kernel import Rejected, check
from proofs.kernel.arithmetic import Ring, plus, power, times
from proofs.kernel.domain import hypothesis, never_zero, values
from proofs.kernel.reading import Reader

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


def never_zero_there(text: str, domain: list[str]) -> bool:
    """Whether the kernel has a proof that no divisor of the text, nor the text, is 0 on the domain."""
    reader = Reader()
    hypotheses = [hypothesis(reader, h, NAMES) for h in domain]
    function = reader.read(text, NAMES)
    factors = [function, *(f for f, _ in reader.divided.values())]
    return all(never_zero(reader.ring, f, hypotheses) for f in factors)


@settings(patient, max_examples=80)
@given(expressions, points)
def test_function_has_the_values_of_its_text(text, point):
    """Assert that a text has the value that Python gives it: precedence, signs, powers, inverses."""
    value, reader = defined(text, point), Reader()
    assert values(reader.ring, {"it": reader.read(text, NAMES)}, point)["it"] == value


@settings(patient, max_examples=80)
@given(expressions, points)
def test_clearing_multiplies_by_divisors(text, point):
    """Assert that what is cleared holds no inverse, and is 0 exactly where the text is, if that is defined."""
    value, reader = defined(text, point), Reader()
    cleared = reader.ring.cleared(reader.read(text, NAMES))
    assert {*reader.ring.names(cleared)} <= {*NAMES}
    assert (values(reader.ring, {"it": cleared}, point)["it"] == 0) == (value == 0)


@settings(patient, max_examples=60)
@given(expressions, expressions, points)
def test_difference_vanishes_only_between_equals(left, right, point):
    """Assert that a difference that is 0 is of texts that agree at the point, and x - x is one."""
    a, b, reader = defined(left, point), defined(right, point), Reader()
    p, q = (reader.read(text, NAMES) for text in (left, right))
    assert a == b or not reader.ring.is_zero(plus(p, q, -1))
    assert reader.ring.is_zero(plus(p, p, -1))


@settings(patient, max_examples=60)
@given(expressions, expressions, points)
def test_equal_functions_are_seen_to_be_equal(left, right, point):
    """Assert that (a/b)(b/a) = 1, (a + b)/b = a/b + 1 and 1/(1/a) = a where a and b are not 0."""
    assume(defined(left, point) != 0 and defined(right, point) != 0)
    reader, a, b = Reader(), f"({left})", f"({right})"
    for one, two in ((f"{a}/{b}*({b}/{a})", "1"), (f"({a} + {b})/{b}", f"{a}/{b} + 1"), (f"1/(1/{a})", a)):
        assert reader.ring.is_zero(plus(reader.read(one, NAMES), reader.read(two, NAMES), -1))


@settings(patient, max_examples=60)
@given(expressions, expressions, points)
def test_substitution_is_simultaneous(outer, inner, point):
    """Assert that M := inner, V0 := M is done at once: the new M is not replaced again."""
    later = {"M": defined(inner, point), "V0": point["M"], "n": point["n"]}
    value, reader = defined(outer, later), Reader()
    p, q, M = (reader.read(text, NAMES) for text in (outer, inner, "M"))
    replaced = reader.ring.put({"M": q, "V0": M})(p)
    assert values(reader.ring, {"it": replaced}, point)["it"] == value


def test_exponents_never_run_into_each_other():
    """Assert that x^k y^l is told from every other monomial up to the highest exponent, beyond which it is refused."""
    ring = Ring()
    x, y = ({ring.variable(name): 1} for name in "xy")
    assert power(x, 2**15 - 1) != y
    with pytest.raises(Rejected, match="an exponent is too high"):
        power(x, 2**15)
    with pytest.raises(Rejected, match="an exponent is too high"):
        times(power(x, 2**15 - 1), power(x, 2**15 - 1))


def test_variables_are_limited():
    """Assert that more variables than a monomial is guarded for are refused."""
    ring = Ring()
    with pytest.raises(Rejected, match="too many variables"):
        any(ring.variable(k) < 0 for k in range(2000))


DOMAINS = (
    [],
    ["M - 1 > 0"],
    ["M - 1 >= 0", "V0 > 0"],
    ["M > 0", "V0 > 0", "1 - V0 > 0"],
    ["M > 0", "V0 >= 0", "1 - V0 >= 0"],
    ["3 - 2*M > 0", "V0 != 0", "n >= 0"],
    ["M - V0 > 0", "M*V0 - 2 >= 0", "n - 1 >= 0"],
    ["M != 0", "V0 - 2 >= 0", "2 - V0 >= 0"],
    ["M - V0 - 1 > 0", "V0 > 0", "n >= 0"],
    ["V0 - 2*M - n >= 0", "M - n > 0", "n >= 0"],
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
    assert not never_zero_there(text, domain)


@settings(patient, max_examples=80)
@given(st.sampled_from(DOMAINS), expressions, points)
def test_expression_called_non_zero_has_no_zero(domain, text, point):
    """Assert that what passes is not zero at a random point of the domain where it is defined."""
    assume(inside(domain, point))
    assert defined(text, point) != 0 or not never_zero_there(text, domain)


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
