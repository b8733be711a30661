"""Floating-point numbers that carry a proved bound on their error, so that no answer is read without it."""

from typing import Any

import numpy as np
from attrs import field, frozen


def _floats(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=float)


@frozen(eq=False)
class Bounded:
    """|truth - value| <= error, entry by entry; ``value`` and ``error`` are floats or arrays of one shape.

    >>> x = Bounded(0.5, 1e-3)
    >>> 0.5004 in x, 0.502 in x, x.relative
    (True, False, 0.002)
    """

    value: Any = field(converter=_floats)
    error: Any = field(converter=_floats)

    @property
    def lower(self) -> Any:
        """The least number that the truth may be."""
        return self.value - self.error

    @property
    def upper(self) -> Any:
        """The largest number that the truth may be."""
        return self.value + self.error

    @property
    def relative(self) -> Any:
        """The bound relative to the value; 0 where both are 0."""
        size = np.abs(self.value)
        return _floats(np.divide(self.error, size, out=np.zeros(np.shape(size)), where=np.asarray(size > 0)))

    def __contains__(self, number: Any) -> bool:
        """Return whether the number, or every number of an array, lies within the bound."""
        return bool(np.all((self.lower <= number) & (number <= self.upper)))

    def __getitem__(self, index: Any) -> "Bounded":
        """Return some entries of an array with their bounds."""
        return Bounded(self.value[index], self.error[index])

    def __float__(self) -> float:
        """Return the value."""
        return float(self.value)

    def __str__(self) -> str:
        """Return the value and the bound."""
        return f"{self.value} +- {self.error:.1e}" if isinstance(self.error, float) else f"{self.value} +- {self.error}"
