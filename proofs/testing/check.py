"""`check_claim`: attack a formula for E[observable of model n]; say what was tried and proved, or where it fails.

The truth comes from exact iteration of the recurrence in numbers, derived afresh at every point, and in small discrete
loops also from writing out every sample; a formula that survives is handed to the kernel as an induction.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from attrs import field, frozen
from sympy import Expr, Integer, S

from proofs.testing.enumeration import enumerable, enumerated
from proofs.testing.equality import Verdict, compare
from proofs.testing.grid import Point, coordinates, grid, strangers
from proofs.testing.induction import Induction, proved
from theory import Loop, NotClosed, expect, symbols
from theory.exact import exact
from theory.expect import Expectation

n = symbols.n


@frozen(eq=False)
class Counterexample:
    """Where a formula fails: generation ``n``, the values of the symbols that matter, and both sides there, exactly."""

    n: int
    at: Point
    claimed: Expr
    true: Expr

    def __str__(self) -> str:
        """Return ``n = 1, M = 2: claimed 3/2, true 1/2``."""
        where = ", ".join(filter(None, (f"n = {self.n}", str(self.at))))
        return f"{where}: claimed {self.claimed}, true {self.true}"


@frozen
class Tried:
    """What a formula was held against.

    Args:
        points: exact points (generation and values) at which both sides were computed.
        generations: the first and the last generation.
        samples: the values of M, least first.
        enumerated: how many of the points were checked against every sample written out, too.
        approximate: at how many points the sides agree to 50 digits, where equality could not be decided.
        left_out: sets of values in the grid at which the expectation does not exist.
    """

    points: int
    generations: tuple[int, int]
    samples: tuple[Expr, ...]
    enumerated: int
    approximate: int
    left_out: int

    def __str__(self) -> str:
        """Return what was tried in a few words."""
        ranges = {"n": self.generations, "M": self.samples}
        words = ", ".join([f"{self.points} exact points", *(f"{x} {_span(values)}" for x, values in ranges.items())])
        notes = {
            "with every sample written out": self.enumerated,
            "to 50 digits only": self.approximate,
            "sets of values left out, where there is no expectation": self.left_out,
        }
        return words + "".join(f", {count} {note}" for note, count in notes.items() if count)


def _span(values: tuple) -> str:
    return f"= {values[0]}" if values[0] == values[-1] else f"from {values[0]} to {values[-1]}"


@frozen(eq=False)
class Checked:
    """The answer of `check_claim`: accepted (and proved, or only tried), or refuted. Its truth value is acceptance."""

    loop: Loop
    observable: Expr
    formula: Expr
    tried: Tried
    counterexample: Counterexample | None = None
    proof: Induction | None = None
    """The induction that the kernel accepted; it rests on the one-step moments that theory derives."""
    unproved: str = field(default="", repr=False)
    """Why there is no proof."""

    @property
    def accepted(self) -> bool:
        """Whether no point refutes the formula."""
        return self.counterexample is None

    def __bool__(self) -> bool:
        """Return whether the formula is accepted."""
        return self.accepted

    def __str__(self) -> str:
        """Return one sentence: the claim, and its proof, its trial or its smallest counterexample."""
        claim = f"E[{self.observable}] = {self.formula}"
        if self.counterexample is not None:
            return f"{claim} is wrong at {self.counterexample}, the smallest of {self.tried}."
        how = f"{self.proof}, and tried" if self.proof else "is not proved, and holds where tried"
        return f"{claim} {how}: {self.tried}."


def check_claim(
    loop: Loop,
    of: Expr,
    formula: Expr,
    *,
    generations: int | range = 6,
    points: int = 60,
    where: Iterable[Expr] = (),
    prove: bool = True,
) -> Checked:
    """Attack the claim E[of(model n)] = formula, and return acceptance with what was tried, or a counterexample.

    The counterexample is the smallest of all points tried: n first, then M, then the simplicity (numerator plus
    denominator) of the other values together.

    Args:
        loop: the loop, in symbols or numbers.
        of: the observable, an expression in the fitted parameters.
        formula: an exact expression in n and in the loop's symbols.
        generations: the last generation tried, or a range of them for a formula that starts later than n = 0.
        points: about how many sets of values are tried, each at every generation.
        where: relations that restrict the claim, for instance ``expect(loop, of).conditions`` or ``(Ne(c, 1),)``.
        prove: whether a proof is tried; solving large systems in symbols may take long.

    Raises:
        ValueError: a float, a symbol that is neither n nor the loop's, a function of which no enclosure is known, or
            conditions that no point meets.
        NotClosed: theory does not know the expectation.
        AssertionError: the engine contradicts the enumeration of all samples. That is a fault of this library.

    >>> from theory import Gaussian, M
    >>> loop = Loop(Gaussian(0, 1))
    >>> print(check_claim(loop, Gaussian.V, 1 + n / M).counterexample)
    n = 1, M = 2: claimed 3/2, true 1/2
    >>> right = check_claim(loop, Gaussian.V, (1 - 1 / M) ** n)
    >>> bool(right), right.proof is not None
    (True, True)
    """
    conditions = tuple(where)
    claim = _Claim(loop, exact(of, "of"), _formula(formula, loop), _range(generations))
    trials = [_Trial(claim, point) for point in claim.points(points, conditions)]
    usable = [trial for trial in trials if trial.exists]
    if not usable:
        raise ValueError(f"where = {conditions} leaves no point of the grid. Ask for a wider range of the symbols.")
    tried, found = _tried(claim, usable, len(trials) - len(usable)), _smallest(usable)
    if found is not None:
        return Checked(loop, claim.of, claim.formula, tried, found, unproved="the formula is wrong")
    proof, reason = proved(claim.expectation, claim.formula) if prove else (None, "no proof was asked for")
    return Checked(loop, claim.of, claim.formula, tried, None, proof, reason)


def _formula(formula: object, loop: Loop) -> Expr:
    expr = exact(formula, "formula")
    if unknown := strangers(expr, loop):
        names = ", ".join(["n", *map(str, coordinates(loop))])
        raise ValueError(
            f"formula = {expr} holds {', '.join(unknown)}, and the loop's symbols are {names}. "
            "Take symbols from theory.symbols, since one of the same name with other assumptions is another symbol."
        )
    return expr


def _range(generations: int | range) -> range:
    asked = generations if isinstance(generations, range) else range(generations + 1)
    if not asked or min(asked) < 0:
        raise ValueError(f"generations = {generations} names no generation. Give the last one, >= 0, or a range.")
    return asked


@frozen(eq=False)
class _Claim:
    loop: Loop
    of: Expr
    formula: Expr
    generations: range

    @cached_property
    def expectation(self) -> Expectation:
        """The expectation in the loop's own symbols."""
        return expect(self.loop, self.of)

    @cached_property
    def by_generation(self) -> dict[int, Expr]:
        """The formula at each generation, in symbols: what cancels there for every M need not be 0/0 at a special M."""
        return {k: self.formula.xreplace({n: Integer(k)}).doit() for k in self.generations}

    def points(self, count: int, where: Iterable[Expr]) -> list[Point]:
        """Return the points; symbols that neither side holds keep out of them."""
        sides = [self.formula, *self.expectation.values(2)]
        relevant = set().union(*(side.free_symbols for side in sides), *(c.free_symbols for c in where))
        return grid(self.loop, relevant | {symbols.M, symbols.p0}, count, where)


@frozen(eq=False)
class _Trial:
    """Both sides of a claim at one point, generation by generation."""

    claim: _Claim
    point: Point

    @cached_property
    def _loop(self) -> Loop:
        return self.point.loop(self.claim.loop)

    @cached_property
    def _of(self) -> Expr:
        return self.point.put(self.claim.of)

    @cached_property
    def _expectation(self) -> Expectation | None:
        try:
            return expect(self._loop, self._of)
        except NotClosed:
            return None

    @property
    def exists(self) -> bool:
        """Whether there is an expectation here, for every generation."""
        return self._expectation is not None and not any(value.has(S.NaN, S.ComplexInfinity) for value in self.true)

    @cached_property
    def true(self) -> list[Expr]:
        """The exact values from the recurrence, held against all samples where they can be written out."""
        assert self._expectation is not None
        values = self._expectation.values(max(self.claim.generations))
        for k, (ours, brute) in enumerate(zip(values, self.enumerated, strict=False)):
            if compare(ours, brute) == "different":
                raise AssertionError(
                    f"E[{self._of}] of {self._loop} at n = {k}: the recurrence gives {ours}, all samples give {brute}."
                )
        return values

    @property
    def size(self) -> Expr:
        """M at this point."""
        return self._loop.samples

    @cached_property
    def enumerated(self) -> list[Expr]:
        """The same from every sample written out; empty where the loop is too large for it."""
        return enumerated(self._loop, self._of, max(self.claim.generations)) if enumerable(self._loop) else []

    @cached_property
    def sides(self) -> dict[int, tuple[Expr, Expr, Verdict]]:
        """For each generation: claimed, true, and whether they are equal."""
        claimed = {k: self.point.put(formula).doit() for k, formula in self.claim.by_generation.items()}
        return {k: (value, self.true[k], compare(value, self.true[k])) for k, value in claimed.items()}

    def failures(self) -> Iterator[Counterexample]:
        """Yield the generations at which the claim is wrong."""
        for k, (claimed, true, verdict) in self.sides.items():
            if verdict == "different":
                yield Counterexample(k, self.point, claimed, true)


def _smallest(trials: Iterable[_Trial]) -> Counterexample | None:
    failures = [failure for trial in trials for failure in trial.failures()]
    return min(failures, key=lambda failure: (failure.n, failure.at.rank), default=None)


def _tried(claim: _Claim, trials: list[_Trial], left_out: int) -> Tried:
    verdicts = [verdict for trial in trials for _, _, verdict in trial.sides.values()]
    return Tried(
        points=len(verdicts),
        generations=(min(claim.generations), max(claim.generations)),
        samples=tuple(sorted({trial.size for trial in trials})),
        enumerated=sum(len(set(claim.generations) & set(range(len(trial.enumerated)))) for trial in trials),
        approximate=verdicts.count("equal to 50 digits"),
        left_out=left_out,
    )
