"""The two answers of the checker: accepted, with all that was checked, or rejected, with what failed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    """The rule that was applied, and the obligations that it met, in order."""

    rule: str
    obligations: tuple[str, ...]


@dataclass(eq=False)
class Rejected(ValueError):
    """The obligation that failed, and why: a reason in words or an exact counterexample."""

    obligation: str
    detail: str

    def __str__(self) -> str:
        return f"{self.obligation}: {self.detail}"
