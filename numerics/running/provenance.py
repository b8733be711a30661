"""What a run was made from, as JSON: enough to make it again, bit for bit."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from attrs import fields, has

from theory.loop import Loop

PACKAGES = {"theory": "collapse-theory", "jax": "jax", "jaxlib": "jaxlib", "numpy": "numpy", "sympy": "sympy"}


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
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else float(value)
