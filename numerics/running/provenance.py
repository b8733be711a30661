"""What a run was made from, as JSON: enough to make it again, bit for bit.

Arrays of many numbers are written as their bytes: exact, and made a hundred times faster than decimals.
"""

import base64
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from attrs import fields, has

from theory.loop import Loop

PACKAGES = {"theory": "collapse-theory", "jax": "jax", "jaxlib": "jaxlib", "numpy": "numpy", "sympy": "sympy"}
MANY = 1_000
"""Arrays of more numbers are written as bytes."""


def provenance(loop: Loop, arguments: dict[str, Any], ran: dict[str, Any]) -> str:
    """Return the JSON text of a run: the loop, the arguments of `simulate`, what ran, and the versions.

    >>> from theory import Bernoulli
    >>> json.loads(provenance(Loop(Bernoulli(), samples=9), {"seed": 1}, {}))["axes"]["samples"]
    '9'
    """
    record = {
        "loop": str(loop),
        "axes": structured(loop),
        "arguments": arguments,
        **ran,
        "dtype": "float64",
        "versions": versions(),
    }
    return json.dumps(record, default=_plain)


def arguments_of(text: str) -> dict[str, Any]:
    """Return the arguments of `simulate` that a provenance holds, as they were given.

    >>> from theory import Categorical
    >>> law = np.full(5_000, 1 / 5_000)
    >>> text = provenance(Loop(Categorical(), samples=9), {"start": {"p": law}}, {})
    >>> bool((arguments_of(text)["start"]["p"] == law).all())
    True
    """
    return json.loads(text, object_hook=_array)["arguments"]


def structured(value: Any) -> Any:
    """Return a frozen value as nested dictionaries: its kind, and its fields with expressions as text."""
    if has(type(value)):
        return {"kind": type(value).__name__} | {
            f.name: structured(getattr(value, f.name)) for f in fields(type(value))
        }
    return [structured(v) for v in value] if isinstance(value, tuple) else None if value is None else str(value)


def versions() -> dict[str, str]:
    """Return the versions that the bits depend on."""
    return {name: _version(package) for name, package in PACKAGES.items()} | {"python": platform.python_version()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _plain(value: Any) -> Any:
    """Return what JSON holds in place of a value that it does not know."""
    if isinstance(value, np.ndarray) and value.size > MANY and value.dtype.kind in "fiu":
        text = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
        return {"dtype": value.dtype.str, "shape": list(value.shape), "base64": text}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else float(value)


def _array(read: Mapping[str, Any]) -> Any:
    """Return the array that an entry of JSON holds the bytes of, and any other entry as it is."""
    if set(read) != {"dtype", "shape", "base64"}:
        return read
    return np.frombuffer(base64.b64decode(read["base64"]), np.dtype(read["dtype"])).reshape(read["shape"])
