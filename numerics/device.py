"""The device that a simulation runs on: asked for by name, found or refused, never replaced in silence."""

from typing import Any

import jax

EXTRAS = {"gpu": "cuda12", "tpu": "tpu"}
NAMES = ("auto", "cpu", "gpu", "tpu")


def device(name: str) -> Any:
    """Return the first device of a kind.

    Args:
        name: "cpu", "gpu", "tpu", or "auto" for the one that JAX prefers.

    Raises:
        ValueError: a name that is none of these, or a kind that JAX does not find on this machine.

    >>> device("cpu").platform
    'cpu'
    """
    if name not in NAMES:
        raise ValueError(f"device = {name!r} is no kind of device. Choose one of {', '.join(NAMES)}.")
    if name == "auto":
        return jax.devices()[0]
    try:
        return jax.devices(name)[0]
    except RuntimeError as error:
        raise ValueError(_missing(name)) from error


def described(chosen: Any) -> str:
    """Return the platform and the kind of a device in words, e.g. "cpu" or "gpu (NVIDIA H100)"."""
    kind = chosen.device_kind
    return chosen.platform if kind.lower() == chosen.platform else f"{chosen.platform} ({kind})"


def _missing(name: str) -> str:
    found = f"JAX finds no {name.upper()} on this machine"
    if name not in EXTRAS:
        return f"{found}. Take it off JAX_PLATFORMS, or ask for device='auto'."
    return f"{found}. Install collapse-theory[{EXTRAS[name]}] with its driver, or ask for device='cpu'."
