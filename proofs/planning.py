"""`collapse derive plan`: the value of one symbol of a loop that keeps a quantity within a bound, as text or JSON.

Work is imported inside the function, so that the command can read its options without loading SymPy.
"""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from attrs import frozen
from cyclopts import Parameter

if TYPE_CHECKING:
    from theory import Loop, Plan
    from theory.allocation import Allocation
from theory.budget import Budget
from theory.latex import spelled


@frozen
class PlanJob:
    """Options of the planner.

    Args:
        solve: The symbol to solve for, such as M, alpha, tau, c or w, one of the loop's; or budget, the least number of
            points of all fits together, however these are spread over them.
        at_least: Bound from below, such as 9/10 or "V0*9/10"; give one bound.
        at_most: Bound from above.
        exactly: Value to be balanced, such as 0 for drift.
        generation: Generation at which the bound holds; n leaves it symbolic, oo asks for the long run.
        want: The least or the greatest value; by itself the one that has a neighbour that fails.
        between: Range of the symbol, two numbers; for a share 0 1.
        within: Width of the bracket for a symbol that is no whole number.
        family: Such as gaussian, bernoulli(1/3) or categorical([1/2, 1/4, 1/4]).
        estimator: mle, unbiased, a multiple c of the unbiased variance, or such as shrinkage(w).
        regime: Such as replace, mixed(alpha), weighted(w, 1/2) or schedule(M*n**2).
        sampling: Such as faithful, tempered(tau) or truncated(3).
        samples: M, a number, or oo.
        budget: Points of all fits together, in place of a bound: how they are best spread over the fits.
        simulate: Hold the answer and the neighbour that fails against simulation, too.
        chains: With --simulate, the most chains that one value may take.
        seed: With --simulate, the seed.
    """

    solve: str = "M"
    at_least: str | None = None
    at_most: str | None = None
    exactly: str | None = None
    generation: str = "n"
    want: Literal["least", "greatest"] | None = None
    between: tuple[str, str] | None = None
    within: str = "1/1000000"
    family: str = "gaussian"
    estimator: str = "mle"
    regime: str = "replace"
    sampling: str = "faithful"
    samples: str = "M"
    budget: int | None = None
    simulate: Annotated[bool, Parameter(negative="")] = False
    chains: int = 4_000_000
    seed: int = 0


def answer(of: str, job: PlanJob, *, as_json: bool) -> tuple[str, int]:
    """Return the plan for a quantity in words, an observable, "var(...)" of one, a metric, or a chain's answer; and the
    exit code, 1 where simulation does not bear it out or is too small to tell.

    Raises:
        ValueError: options that put no question, or a bound out of reach.
    """
    from proofs.spec import loop_from

    axes = {name: getattr(job, name) for name in ("family", "estimator", "regime", "sampling", "samples")}
    loop = loop_from(**axes)
    if job.budget is not None:
        found = _spread(of, job, loop)
        return json.dumps(_plain_schedule(found)) if as_json else str(found), 0
    planned = _least_budget(of, job, loop) if job.solve == "budget" else _plan(of, job, loop)
    plain = _plain_budget if job.solve == "budget" else _plain
    if not job.simulate:
        return json.dumps(plain(planned)) if as_json else str(planned), 0  # type: ignore[arg-type]
    from numerics.boundary import at_boundary

    held = at_boundary(planned, chains=job.chains, seed=job.seed)
    text = json.dumps({**plain(planned), "simulated": held.plain()}) if as_json else f"{planned}\n{held}"  # type: ignore[arg-type]
    return text, 0 if held.verdict == "agree" else 1


def _plan(of: str, job: PlanJob, loop: "Loop") -> "Plan":
    from proofs.spec import number
    from theory import plan

    return plan(
        loop,
        _question(of, loop),
        _symbol(job.solve, loop),
        n=number("generation", job.generation),
        want=job.want,
        between=None if job.between is None else tuple(number("between", end) for end in job.between),  # type: ignore[arg-type]
        within=number("within", job.within),
        **_bounds(job, loop),
    )


def _bounds(job: PlanJob, loop: "Loop") -> dict[str, Any]:
    from proofs.spec import bound_from

    bounds = {name: getattr(job, name) for name in ("at_least", "at_most", "exactly")}
    return {name: bound_from(name, text, loop) for name, text in bounds.items() if text is not None}


def _least_budget(of: str, job: PlanJob, loop: "Loop") -> "Budget":
    from proofs.spec import number
    from theory import least_budget

    bounds = _bounds(job, loop)
    if "exactly" in bounds:
        raise ValueError("--exactly asks for no least budget. Give --at-least or --at-most.")
    return least_budget(loop, _question(of, loop), n=number("generation", job.generation), **bounds)


def _spread(of: str, job: PlanJob, loop: "Loop") -> "Allocation":
    from proofs.spec import number
    from theory import best_schedule

    if job.simulate or any(given is not None for given in (job.at_least, job.at_most, job.exactly)):
        raise ValueError("--budget takes no bound. Give --want greatest or least, or ask for --solve budget.")
    generation = number("generation", job.generation)
    return best_schedule(loop, _question(of, loop), job.budget, n=generation, want=job.want or "greatest")


def _symbol(name: str, loop: "Loop") -> Any:
    known = {str(symbol): symbol for symbol in loop.free_symbols}
    if name not in known:
        raise ValueError(
            f"--solve {name} is no symbol of the loop. Its symbols are {', '.join(sorted(known)) or 'none'}."
        )
    return known[name]


def _question(of: str, loop: "Loop") -> Any:
    from proofs.spec import observable_from
    from theory import variance
    from theory.quantities import WORDS

    if of in WORDS:
        return of
    if not of.replace(" ", "").lower().startswith("var("):
        return observable_from(of, loop)
    inside = observable_from(of.strip()[3:], loop)

    def spread(one: "Loop") -> Any:
        return variance(one, inside)

    spread.__name__ = f"Var[{inside}]"
    return spread


def _plain(found: "Plan") -> dict[str, Any]:
    return {
        "symbol": str(found.symbol),
        "quantity": found.quantity.name,
        "relation": found.relation,
        "bound": str(found.bound),
        "generation": str(found.horizon),
        "side": found.side,
        "value": None if found.value is None else str(found.value),
        "expression": None if found.expression is None else str(found.expression),
        "neighbours": [{"at": str(p.at), "value": p.digits, "meets": p.holds} for p in found.neighbours],
        "proved": [{"from": str(low), "to": str(high), "meets": met} for low, high, met in found.settled],
        "monotone": found.monotone,
        "conditions": [spelled(c) for c in found.conditions],
    }


def _plain_schedule(found: "Allocation") -> dict[str, Any]:
    return {
        "quantity": found.quantity.name,
        "generation": found.horizon,
        "side": found.side,
        "budget": found.budget,
        "sizes": list(found.sizes),
        "value": str(found.value),
        "proved": found.proved,
    }


def _plain_budget(found: "Budget") -> dict[str, Any]:
    return {
        **_plain_schedule(found.enough),
        "relation": found.relation,
        "bound": str(found.bound),
        "short": None if found.short is None else _plain_schedule(found.short),
        "proved": found.proved,
    }
