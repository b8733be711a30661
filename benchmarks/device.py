"""The Monte Carlo engine on a GPU: refits per second, and what part that is of what the device can do at most.

Two ends are measured in the same run: how fast the device computes the random words alone, many calls of the cipher
within one kernel, and how fast it copies memory. Peers are loops with the same trick in PyTorch or CuPy, where one of
them is installed and finds the device. Times are of the wall, from the first command to the last result, the median of
three; nothing else should use the device. Without a GPU the same is done on the CPU at a small size, and says so.

    python benchmarks/device.py                print the table
    python benchmarks/device.py --write        and write it to benchmarks/device.md
    python benchmarks/device.py --small        runs of a moment, to see that all is there
"""

from argparse import Namespace
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import signature
from statistics import median
from time import perf_counter
from typing import Any

import _bench
import jax
import jax.numpy as jnp
import numpy as np
from attrs import frozen
from jax import Array, lax

from numerics import simulate
from numerics.samplers.cipher import cipher
from theory import Categorical, Gaussian, Loop, MultivariateGaussian

CALLS, ROUNDS = 32, 3
PRECISION = {"precision": "f32"} if "precision" in signature(simulate).parameters else {}


@frozen
class Work:
    """A loop that is run.

    Args:
        words: what it is.
        loop: the loop.
        chains: how many on a GPU.
        generations: how many.
        carried: 32-bit numbers that a chain carries from generation to generation.
        peer: name of the peers' function.
        more: other arguments of `simulate`.
    """

    words: str
    loop: Loop
    chains: int
    generations: int
    carried: int
    peer: str
    more: dict[str, Any]


def _works() -> Iterator[Work]:
    start = {"start": {"mu": 0, "V": 1}}
    yield Work("Gaussian, M = 100", Loop(Gaussian(), samples=100), 2**24, 1000, 2, "gaussian", start)
    for types, samples in ((2, 10_000), (100, 10_000)):
        seen = {"start": {"p": np.full(types, 1 / types)}, "observe": {"vocabulary": Categorical.vocabulary}}
        chains = 2**24 // types
        words = f"{types} types, M = {samples:,}"
        yield Work(words, Loop(Categorical(), samples=samples), chains, 100, types, "categorical", seen)
    for d in (2, 8, 64):
        normal = MultivariateGaussian([0] * d, np.eye(d, dtype=int).tolist())
        words, carried = f"multivariate Gaussian, d = {d}, M = 100", d + d * (d + 1) // 2
        yield Work(words, Loop(normal, samples=100), 2**22 // d**2, 100, carried, "multivariate", {})


def seconds_of(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median wall time of a run, after one that compiles."""
    run()
    times = []
    for _ in range(rounds):
        begun = perf_counter()
        run()
        times.append(perf_counter() - begun)
    return median(times)


def generator_rate(lanes: int, rounds: int) -> float:
    """Calls of the cipher per second, two words each, `CALLS` of them in a kernel whose results stay in registers."""

    def step(parity: Array, k: Array) -> tuple[Array, None]:
        chains = lax.iota(jnp.uint32, lanes)
        for call in range(CALLS):
            upper, lower = cipher((np.uint32(1), np.uint32(2)), chains, k * np.uint32(CALLS) + np.uint32(call))
            parity = parity ^ upper ^ lower
        return parity, None

    words = jax.jit(lambda parity: lax.scan(step, parity, jnp.arange(rounds, dtype=jnp.uint32))[0])
    parity = jnp.zeros(lanes, jnp.uint32)
    return lanes * rounds * CALLS / seconds_of(lambda: words(parity).block_until_ready())


def copy_rate(size: int) -> float:
    """Bytes per second that are read and written, of an array of so many bytes."""
    array, copied = jnp.zeros(size // 4, jnp.uint32), jax.jit(lambda x: x + np.uint32(1))
    return 2 * size / seconds_of(lambda: copied(array).block_until_ready())


def engine_rate(work: Work, chains: int, generations: int, platform: str) -> float:
    """Refits per second of a streamed run."""
    run = {"generations": generations, "chains": chains, "paths": False, "device": platform} | PRECISION | work.more
    return chains * generations / seconds_of(lambda: simulate(work.loop, **run).load())


# Peers: one loop each, written for PyTorch's and CuPy's arrays alike


@frozen
class Arrays:
    """What a peer needs of a library of arrays on the device, all of them of 32 bits.

    Args:
        name: library and version.
        xp: its module, for what all libraries call alike.
        normal: shape -> standard normal draws.
        gamma: array of shapes -> draws of gamma laws.
        binomial: (trials, chances) -> counts.
        full: (shape, value) -> array.
        wait: ends when all commands have.
    """

    name: str
    xp: Any
    normal: Callable[[tuple[int, ...]], Any]
    gamma: Callable[[Any], Any]
    binomial: Callable[[Any, Any], Any]
    full: Callable[[tuple[int, ...], float], Any]
    wait: Callable[[], object]


def torch_arrays() -> Arrays:
    """PyTorch on its GPU; ImportError where it is missing, or finds none."""
    torch = import_module("torch")
    if not torch.cuda.is_available():
        raise ImportError("PyTorch finds no GPU")
    kind = {"device": "cuda", "dtype": torch.float32}
    return Arrays(
        f"PyTorch {torch.__version__}",
        torch,
        lambda shape: torch.randn(shape, **kind),
        torch._standard_gamma,
        torch.binomial,
        lambda shape, value: torch.full(shape, value, **kind),
        torch.cuda.synchronize,
    )


def cupy_arrays() -> Arrays:
    """CuPy; ImportError where it is missing."""
    cupy = import_module("cupy")
    return like_numpy(f"CuPy {cupy.__version__}", cupy, cupy.cuda.Device().synchronize)


def like_numpy(name: str, xp: Any, wait: Callable[[], object]) -> Arrays:
    """A library that is called as NumPy is."""
    rng, kind = xp.random.default_rng(1), xp.float32
    return Arrays(
        name,
        xp,
        lambda shape: rng.standard_normal(shape, dtype=kind),
        lambda shapes: rng.standard_gamma(shapes, dtype=kind),
        lambda trials, chances: rng.binomial(trials.astype(xp.int64), chances).astype(kind),
        lambda shape, value: xp.full(shape, value, kind),
        wait,
    )


def gaussian(on: Arrays, work: Work, chains: int, generations: int) -> Any:
    """Refit (mu, V): mu += sqrt(V/M) z, V *= 2 Gamma((M - 1)/2)/M. Returns V."""
    M = int(work.loop.samples)
    mu, V, shapes = on.full((chains,), 0.0), on.full((chains,), 1.0), on.full((chains,), (M - 1) / 2)
    for _ in range(generations):
        mu = mu + on.xp.sqrt(V / M) * on.normal((chains,))
        V = V * on.gamma(shapes) * (2 / M)
        _ = mu.mean(), (mu * mu).mean(), V.mean(), (V * V).mean()
    return V


def categorical(on: Arrays, work: Work, chains: int, generations: int) -> Any:
    """Refit p: type after type, each a binomial of the tokens that are left. Returns (1 - sum_k p_k^2)/(1 - 1/K)."""
    M, types = int(work.loop.samples), work.carried
    p = on.full((types, chains), 1 / types)
    for _ in range(generations):
        left, rest, counts = on.full((chains,), float(M)), on.full((chains,), 1.0), []
        for k in range(types - 1):
            counts.append(on.binomial(left, (p[k] / rest.clip(1e-9)).clip(0, 1)))
            left, rest = left - counts[-1], rest - p[k]
        p = on.xp.stack([*counts, left]) / M
        _ = (p > 0).sum(0).mean(dtype=p.dtype)
    return (1 - (p * p).sum(0)) / (1 - 1 / types)


def multivariate(on: Arrays, work: Work, chains: int, generations: int) -> Any:
    """Refit (mu, L), Sigma = L L': L <- L T/sqrt(M), T Bartlett's triangle. Returns tr Sigma/d."""
    M, d = int(work.loop.samples), int(work.loop.family.dimension)
    ones = on.full((d, d), 1.0)
    unit = on.xp.tril(ones) - on.xp.tril(ones, -1)
    mu, L = on.full((chains, d, 1), 0.0), on.full((chains, 1, 1), 1.0) * unit
    shapes = on.xp.stack([on.full((chains,), (M - 1 - j) / 2) for j in range(d)], 1)
    for _ in range(generations):
        mu = mu + L @ on.normal((chains, d, 1)) / M**0.5
        roots = on.xp.sqrt(2 * on.gamma(shapes))
        L = L @ (on.xp.tril(on.normal((chains, d, d)), -1) + roots[:, :, None] * unit) / M**0.5
        _ = mu.mean(), (L * L).mean()
    return (L * L).sum((1, 2)) / d


PEERS = {one.__name__: one for one in (gaussian, categorical, multivariate)}


def peers() -> Iterator[Arrays]:
    """The libraries that are there."""
    for build in (torch_arrays, cupy_arrays):
        try:
            yield build()
        except ImportError:
            continue


def peer_rate(on: Arrays, work: Work, chains: int, generations: int) -> float:
    """Refits per second of a peer, a tenth of the generations."""
    generations = max(2, generations // 10)

    def run() -> None:
        PEERS[work.peer](on, work, chains, generations)
        on.wait()

    require_right(on, work, chains, generations)
    return chains * generations / seconds_of(run)


def require_right(on: Arrays, work: Work, chains: int, generations: int) -> None:
    """Refuse a peer whose variance, normed, has not the mean (1 - 1/M)^n, which all the loops here share."""
    values, expected = (
        PEERS[work.peer](on, work, chains, generations),
        (1 - 1 / float(work.loop.samples)) ** generations,
    )
    error = float(values.std()) / chains**0.5
    if not abs(float(values.mean()) - expected) <= 6 * error + 1e-5:
        raise ValueError(f"{on.name}: {work.words}: {float(values.mean())} +- {error} where {expected} is expected")


# The page


def report(arguments: Namespace) -> str:
    """The whole page."""
    platform = jax.default_backend()
    small = arguments.small or platform != "gpu"
    words = generator_rate(2**12 if small else 2**22, 4 if small else 64)
    memory = copy_rate(2**22 if small else 2**30)
    others = list(peers())
    rows = [_row(work, small, platform, words, memory, others) for work in _works()]
    head = ["", "refits/s", "of the generator's rate", "of the copy rate", *(f"times {on.name}" for on in others)]
    return f"""# Refits on a GPU

Printed by `python benchmarks/device.py --write`. {jax.devices()[0].device_kind}, {_bench.machine("jax", "numpy")}.
{_said(platform, arguments.small)}

The cipher alone: {words:.2e} calls a second, two words each, {CALLS} in a kernel. Copying: {memory / 1e9:,.0f} GB/s,
read and written. A refit is one chain advanced by one generation; its share of the generator's rate counts one call a
refit, that of the copy rate the 32-bit numbers that a chain carries, read and written once. Wall time, the median of
{ROUNDS}.

{_bench.table(head, rows)}

{"" if others else "Neither PyTorch nor CuPy is installed with a GPU, so there is no peer."}
"""


def _said(platform: str, small: bool) -> str:
    if platform == "gpu":
        return "The runs are small: they show that all is there, not how fast it is." if small else ""
    return f"**No GPU was found**: JAX runs on the {platform}, at a small size. These are no figures of a GPU."


def _row(work: Work, small: bool, platform: str, words: float, memory: float, others: list[Arrays]) -> list[str]:
    chains, generations = (256, 4) if small else (work.chains, work.generations)
    rate = engine_rate(work, chains, generations, platform)
    ratios = [rate / peer_rate(on, work, chains, generations) for on in others]
    moved = 2 * 4 * work.carried * rate
    return [work.words, f"{rate:.2e}", f"{rate / words:.1%}", f"{moved / memory:.1%}", *(f"{x:,.1f}" for x in ratios)]


if __name__ == "__main__":
    options = _bench.parser("The Monte Carlo engine on a GPU.")
    options.add_argument("--small", action="store_true", help="runs of a moment, to see that all is there")
    _bench.run(options, __file__, report, lambda *_: {})
