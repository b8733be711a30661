"""The devices that a simulation runs on: asked for by name and number, found or refused, never replaced in silence.

Chains are independent, so many devices are one program over a mesh of one axis, the chains; nothing is added up across
it. Every device runs chunks of the same size as a single one would, and so the numbers are the same, bit for bit.
"""

from collections.abc import Callable
from typing import Any, Literal

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

EXTRAS = {"gpu": "cuda12", "tpu": "tpu"}
NAMES = ("auto", "cpu", "gpu", "tpu")
AXIS = "chains"

Devices = tuple[Any, ...]
Number = int | Literal["all"]


def found(name: str, number: Number = 1) -> Devices:
    """Return the first devices of a kind that belong to this process.

    Args:
        name: "cpu", "gpu", "tpu", or "auto" for the one that JAX prefers.
        number: how many, or "all".

    Raises:
        ValueError: a name or a number that is none of these, or more devices than JAX finds on this machine.

    >>> [device.platform for device in found("cpu")]
    ['cpu']
    """
    if name not in NAMES:
        raise ValueError(f"device = {name!r} is no kind of device. Choose one of {', '.join(NAMES)}.")
    if number != "all" and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
        raise ValueError(f"devices = {number!r} is no number of devices. Give an int >= 1, or 'all'.")
    here = _local(name)
    if number != "all" and number > len(here):
        raise ValueError(_too_few(number, here))
    return here if number == "all" else here[:number]


def described(devices: Devices) -> str:
    """Return the platform and the kind of devices in words, e.g. "cpu" or "gpu (NVIDIA H100)"."""
    kind = devices[0].device_kind
    return devices[0].platform if kind.lower() == devices[0].platform else f"{devices[0].platform} ({kind})"


def spread(run: Callable[..., Any], devices: Devices, **options: Any) -> Callable[..., list[Any]]:
    """Return the compiled function that runs a chunk on every device, and its results one by one, in their order.

    Args:
        run: (seed, given, chains of a chunk, how many count) -> arrays whose first axis goes with the chains.
        devices: where it runs.
        options: those of `jax.jit`.

    The function takes the seed, what is given, the chains of all chunks (devices, chunk) and how many count (devices,).
    """
    if len(devices) == 1:
        compiled = jax.jit(run, **options)
        return lambda seed, given, chains, counts: [compiled(seed, given, chains[0], counts[0])]

    def one(seed: Any, given: Any, chains: Any, counts: Any) -> Any:
        return run(seed, given, chains[0], counts[0])

    rest, split = PartitionSpec(), PartitionSpec(AXIS)
    mesh = Mesh(np.array(devices), (AXIS,))
    each = jax.shard_map(one, mesh=mesh, in_specs=(rest, rest, split, split), out_specs=split, check_vma=False)
    together = jax.jit(each, **options)
    return lambda *asked: _apart(together(*asked), devices)


def _apart(results: Any, devices: Devices) -> list[Any]:
    """Return what each device computed, without moving anything."""

    def of(device: Any) -> Any:
        return jax.tree.map(lambda x: next(s.data for s in x.addressable_shards if s.device == device), results)

    return [of(device) for device in devices]


def _local(name: str) -> Devices:
    try:
        return tuple(jax.local_devices(backend=None if name == "auto" else name))
    except RuntimeError as error:
        raise ValueError(_missing(name)) from error


def _missing(name: str) -> str:
    found = f"JAX finds no {name.upper()} on this machine"
    if name not in EXTRAS:
        return f"{found}. Take it off JAX_PLATFORMS, or ask for device='auto'."
    return f"{found}. Install collapse-theory[{EXTRAS[name]}] with its driver, or ask for device='cpu'."


def _too_few(number: int, here: Devices) -> str:
    platform = here[0].platform
    more = ", or set XLA_FLAGS=--xla_force_host_platform_device_count" if platform == "cpu" else ""
    return f"devices = {number}, and JAX finds {len(here)} {platform} here. Ask for devices='all'{more}."
