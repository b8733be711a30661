"""Monte Carlo p-values that are exact: uniform under the null whatever the number of draws."""

import numpy as np
from attrs import field, frozen

DRAWS = 999
"""Draws from a null: the smallest p-value is about 1/1000."""


def upper(observed: float, null: np.ndarray, u: float) -> float:
    """Return the p-value of large values: the rank of the observed one among DRAWS + 1, over DRAWS + 1.

    p = (number above + u (1 + number of ties))/(draws + 1), with u uniform, is uniform on (0, 1) under the null.

    >>> upper(3.0, np.array([1.0, 2.0, 4.0]), 0.5)
    0.375
    """
    above, ties = np.sum(null > observed), np.sum(null == observed)
    return float((above + u * (1 + ties)) / (len(null) + 1))


@frozen
class Test:
    """One comparison with what honest refits explain.

    Args:
        name: what is compared.
        observed: its value.
        expected: its median under the null.
        p_value: uniform on (0, 1) under the null.
        smallest: the relative change that would have been seen with power 0.9; NaN where that is not said.
    """

    __test__ = False  # no test of pytest

    name: str
    observed: float
    expected: float
    p_value: float
    smallest: float = float("nan")

    def __str__(self) -> str:
        """Return the comparison in one sentence."""
        power = "" if np.isnan(self.smallest) else f"; a change by {100 * self.smallest:.2g} % is seen with power 0.9"
        return f"{self.name}: {self.observed:.4g}, honest refits {self.expected:.4g}, p = {self.p_value:.2g}{power}"


@frozen
class Tests:
    """Comparisons of one pair of generations, judged together at one family-wise level.

    Args:
        tests: the comparisons.
        refits: honest refits between the two samples.
        level: probability that the verdict is a false alarm.
        p_value: of all comparisons together.
    """

    __test__ = False

    tests: tuple[Test, ...]
    refits: int
    level: float
    p_value: float = field()

    @property
    def more(self) -> bool:
        """Whether the drift is more than honest refits explain."""
        return self.p_value < self.level

    def __getitem__(self, name: str) -> Test:
        """Return the comparison of that name."""
        return next(test for test in self.tests if test.name == name)

    def __str__(self) -> str:
        """Return the verdict and the comparisons, one on a line."""
        verdict = "more than" if self.more else "no more than"
        many = "one honest refit explains" if self.refits == 1 else f"{self.refits} honest refits explain"
        head = f"{verdict} {many}: p = {self.p_value:.2g} of all, family-wise level {self.level:g}"
        return "\n".join([head, *map(str, self.tests)])


def together(tests: list[Test], refits: int, level: float) -> Tests:
    """Return tests judged by Bonferroni's bound."""
    smallest = min(test.p_value for test in tests)
    return Tests(tuple(tests), refits, level, min(1.0, len(tests) * smallest))
