"""The protocol of a streamed summary: reduced where chains run, merged on the host in the order of the chains.

A summary of all chains has the same bits however they are cut into chunks: sums of floats are taken in a fixed order
within blocks of `BLOCK` chains, and blocks merged one after the other; whole numbers add up in any order.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import xarray as xr
from jax import Array

BLOCK = 256
"""Chains in one block of a summary; a chunk is a whole number of blocks."""
GENERATION = "generation"


class Summary(ABC):
    """What is kept of one variable at each generation."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What its columns are called after the variable; one of each label is kept of a variable."""

    @property
    def coordinate(self) -> tuple[str, tuple[float, ...]] | None:
        """The name and the values of a coordinate that variables share."""
        return None

    @property
    def running(self) -> Literal["min", "max"] | None:
        """Whether it reads, in place of a chain's value, the least or the greatest that the chain has had so far."""
        return None

    @property
    def other(self) -> str | None:
        """The name of a second variable that it reads; the values are then a pair."""
        return None

    @abstractmethod
    def reduced(self, values: Any, counted: Array) -> tuple[Array, ...]:
        """Return arrays whose first axis runs over blocks, or over all lanes as one; this is traced.

        Args:
            values: one generation's values, shape (lanes, ...), the first chains of all blocks before their second
                ones, so that axis 0 of values.reshape(BLOCK, -1, ...) runs over the chains of a block.
            counted: shape (lanes,), which of the lanes are asked for; the others repeat the first of their block.
        """

    @abstractmethod
    def merged(self, before: Any, blocks: tuple[np.ndarray, ...], count: int) -> Any:
        """Return the state so far, None at first, with the next ``count`` chains; blocks have axes
        (block, generation, ...).
        """

    @abstractmethod
    def columns(self, name: str, dims: tuple[str, ...], state: Any) -> Mapping[str, xr.DataArray]:
        """Return what the state says of a variable, by name; dims are "generation" and those of the variable."""

    @abstractmethod
    def numbers(self, lanes: int) -> int:
        """Return how many 8-byte numbers the arrays of so many lanes hold, for one generation of one scalar."""


def totalled(counts: np.ndarray) -> np.ndarray:
    """Return whole numbers summed over blocks, in 64 bits."""
    return np.asarray(counts).sum(axis=0, dtype=np.int64)
