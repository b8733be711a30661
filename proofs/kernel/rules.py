"""The rules of proof; `check` takes a certificate, plain text and lists, and applies the rule it names."""

import ast
import json
from collections.abc import Collection, Iterator
from fractions import Fraction
from math import comb
from operator import mul

from proofs.kernel.arithmetic import plus
from proofs.kernel.counterexample import Functions, mismatch
from proofs.kernel.domain import Hypothesis, Point, holds, hypothesis, never_zero
from proofs.kernel.reading import Reader
from proofs.kernel.verdict import Accepted, Rejected

INDUCTION = ("rule", "index", "start", "symbols", "domain", "witness", "sequences", "unknowns", "claim")


def check(certificate: object) -> Accepted:
    """Accept, or raise `Rejected` at the first obligation that fails; what cannot be read is rejected too."""
    rules = {"induction_eq": induction_eq, "absorbing_chain": absorbing_chain}
    try:
        plain = json.loads(json.dumps(certificate))  # an object might answer differently when asked again
        if not isinstance(plain, dict) or plain.get("rule") not in [*rules]:
            raise Rejected("rule", f"a certificate is a table whose rule is one of {', '.join(rules)}")
        return Accepted(plain["rule"], tuple(dict.fromkeys(rules[plain["rule"]](plain))))
    except Rejected:
        raise
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise Rejected("certificate", f"it cannot be read: {error}") from error


def induction_eq(c: dict) -> Iterator[str]:
    """claim(start) = start and claim(n + 1) = next(claim(n)): the claim holds at every integer n >= start."""
    _well_formed(c)
    reader, known = Reader(), [c["index"], *c["sequences"]]
    witness, domain = _domain(c, reader)
    yield "the domain is not empty"
    functions = first, after, claim = _functions(c, reader)
    yield from _defined(c, reader, domain)
    put, is_zero = reader.ring.put, reader.ring.is_zero
    at_start, one_later, claimed = put({x: first[x] for x in known}), put({x: after[x] for x in known}), put(claim)
    for x, p in claim.items():
        base, step = plus(at_start(p), first[x], -1), plus(one_later(p), claimed(after[x]), -1)
        for obligation, difference in ((f"base case of {x}", base), (f"induction step of {x}", step)):
            if not is_zero(difference):
                raise Rejected(obligation, mismatch(reader.ring, functions, domain, witness))
            yield obligation


def _well_formed(c: dict) -> None:
    """Every part is there, and every name is declared once."""
    _, n, start, symbols, domain, witness, sequences, unknowns, claim = _fields(c, INDUCTION, "certificate")
    kinds = [type(part) for part in (start, symbols, domain, sequences, unknowns)]
    if kinds != [int, list, list, dict, dict] or start < 0:
        raise Rejected("certificate", "start counts from 0, symbols and domain are lists, the rest tables")
    declared = [n, *symbols, *sequences, *unknowns]
    for name in declared:
        if Reader().read(name, [name]) != {1: 1} or declared.count(name) > 1:
            raise Rejected(f"name {name}", "it must be an identifier, declared once")
    for step in (*sequences.values(), *unknowns.values()):
        _fields(step, ["start", "next"], "recurrence")
    _fields(witness, symbols, "witness")
    _fields(claim, unknowns or ["at least one unknown"], "claim")


def _fields(value: object, expected: Collection[str], where: str) -> list:
    if not isinstance(value, dict) or value.keys() != {*expected}:
        raise Rejected(where, f"its fields must be exactly {', '.join(expected)}")
    return [value[key] for key in expected]


def _domain(c: dict, reader: Reader) -> tuple[Point, list[Hypothesis]]:
    """A point, and the hypotheses that it satisfies, n >= start among them."""
    n, start = c["index"], c["start"]
    witness = {n: Fraction(start)} | {x: _number(value) for x, value in c["witness"].items()}
    domain = [hypothesis(reader, text, c["symbols"]) for text in c["domain"]]
    for text, h in zip(c["domain"], domain, strict=True):
        if not holds(reader.ring, h, witness):
            raise Rejected("the domain is not empty", f"{text} fails at the witness")
    return witness, [*domain, hypothesis(reader, f"{n} - {start} >= 0", [n])]


def _number(text: object) -> Fraction:
    return Fraction(Reader().read(text, []).get(0, 0))


def _functions(c: dict, reader: Reader) -> tuple[Functions, Functions, Functions]:
    """The start and the next of every sequence, unknown and the index, which is a sequence; the claims."""
    n, symbols, unknowns = c["index"], c["symbols"], c["unknowns"]
    sequences = {n: {"start": str(c["start"]), "next": f"{n} + 1"}} | c["sequences"]
    known, within = dict.fromkeys([*symbols, *sequences]), dict.fromkeys([*symbols, n, *unknowns])
    first = {x: reader.read(step["start"], symbols) for x, step in (sequences | unknowns).items()}
    after = {x: reader.read(step["next"], known) for x, step in sequences.items()}
    claim = {x: reader.read(text, known) for x, text in c["claim"].items()}
    after |= {x: reader.read(step["next"], within) for x, step in unknowns.items()}
    return first, after, claim


def _defined(c: dict, reader: Reader, domain: list[Hypothesis]) -> Iterator[str]:
    """No divisor vanishes on the domain, each being a function of the index and the symbols alone."""
    free, where = {c["index"], *c["symbols"]}, ", ".join([*c["domain"], f"{c['index']} >= {c['start']}"])
    for f, tree in [*reader.divided.values()]:
        text, names = ast.unparse(tree), {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if not names <= free or not never_zero(reader.ring, f, domain):
            raise Rejected(f"divisor {text} may vanish", where)
        yield f"divisor {text} never vanishes"


def absorbing_chain(c: dict) -> Iterator[str]:
    """h = P h, h_0 = 0, h_M = 1 and, inside, t = 1 + P t > 0: h is P(absorbed at M), t the mean time to it.

    Q being P inside, t >= 1 + Q 1 + ... + Q^k 1 for all k, so Q^k -> 0 and each system has one solution.
    """
    _, law, size, hit, time = _fields(c, ["rule", "law", "samples", "hit", "time"], "certificate")
    if [law, type(size), type(hit), type(time)] != ["wright_fisher", int, list, list]:
        raise Rejected("certificate", "the law is wright_fisher, samples an integer, hit and time are lists")
    if size < 1 or not len(hit) == len(time) == size + 1:
        raise Rejected("certificate", "hit and time go by counts 0, ..., samples, and samples >= 1")
    h, t = ([_number(text) for text in field] for field in (hit, time))
    if (h[0], h[size], t[0], t[size]) != (0, 1, 0, 0):
        raise Rejected("boundary", "hit must be 0 and 1 at the ends, and time 0 and 0")
    for i in range(1, size):
        row = [Fraction(comb(size, j) * i**j * (size - i) ** (size - j), size**size) for j in range(size + 1)]
        if h[i] != (one_step := sum(map(mul, row, h))):
            raise Rejected(f"h = P h at {i}", f"claimed {h[i]}, one step gives {one_step}")
        if t[i] != (one_step := 1 + sum(map(mul, row, t))) or t[i] <= 0:
            raise Rejected(f"t = 1 + P t > 0 at {i}", f"claimed {t[i]}, one step gives {one_step}")
    yield from ("h_0 = 0, h_M = 1, t_0 = t_M = 0", "h = P h inside", "t = 1 + P t > 0 inside")
