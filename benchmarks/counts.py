"""Refits of a categorical loop against NumPy's own generator, as ratios of processor time in one run.

The peer is the loop that users write: `p = rng.multinomial(M, p) / M`, one chain after the other, over all types; for
two types `rng.binomial` over all chains at once. The engine runs many chains and streams, every generation, the
moments of how many types are left; the peer's count of them is timed with it. Compilation is left out and shown beside.

    python benchmarks/counts.py                 print the table
    python benchmarks/counts.py --write         and write it to benchmarks/counts.md
"""

from argparse import Namespace
from time import process_time

import _bench
import numpy as np

from numerics import simulate
from numerics.planning import choose
from theory import Categorical, Loop

TYPES, SAMPLES, GENERATIONS, ROUNDS = (2, 100, 50_000), (100, 10_000, 1_000_000), 10, 3
TARGETS = {(2, m): 8 for m in SAMPLES} | {(100, m): 6 for m in SAMPLES} | {(50_000, 100): 1_000}
OBSERVED = {"vocabulary": Categorical.vocabulary}


def source(types: int) -> np.ndarray:
    """Zipf's law."""
    weights = 1 / np.arange(1, types + 1)
    return weights / weights.sum()


def engine(types: int, samples: int, chains: int, seed: int) -> float:
    """Seconds of one simulation."""
    start, loop = process_time(), Loop(Categorical(), samples=samples)
    asked = {"generations": GENERATIONS, "chains": chains, "paths": False, "observe": OBSERVED}
    run = simulate(loop, {"p": source(types)}, seed=seed, **asked)
    return process_time() - start + 0 * float(run["vocabulary_mean"][-1])


def numpy_chains(types: int, samples: int, chains: int, rng: np.random.Generator) -> float:
    """Seconds of the same refits by NumPy."""
    start, law = process_time(), source(types)
    if types == 2:
        share = np.full(chains, law[0])
        for _ in range(GENERATIONS):
            share = rng.binomial(samples, share) / samples
            _ = 1.0 + ((share > 0) & (share < 1))
        return process_time() - start
    for _ in range(chains):
        p = law
        for _ in range(GENERATIONS):
            p = rng.multinomial(samples, p) / samples
            _ = (p > 0).sum()
    return process_time() - start


def chains_of(types: int, samples: int) -> tuple[int, int]:
    """Chains of the engine and of the peer that take about a second: planning a run takes some hundredths."""
    nanoseconds = min(30 * types, 25 * samples)
    ours = int(np.clip(1e8 / nanoseconds, 4, 2**20))
    return ours, 300_000 if types == 2 else int(np.clip(1e6 / types, 4, 1000))


def measured(types: int, samples: int) -> dict:
    """Microseconds of a refit, engine and peer by turns, the median of the rounds' ratios, seconds to compile."""
    ours, peers = chains_of(types, samples)
    rng = np.random.default_rng(0)
    compiling = engine(types, samples, ours, 0)
    rounds = [(engine(types, samples, ours, k), numpy_chains(types, samples, peers, rng)) for k in range(1, ROUNDS + 1)]
    here, there = (np.array(column) for column in zip(*rounds, strict=True))
    here, there = here / ours / GENERATIONS * 1e6, there / peers / GENERATIONS * 1e6
    method = choose(Loop(Categorical(), samples=samples), "auto", (types,))[0]
    figures = {"engine": np.median(here), "numpy": np.median(there), "ratio": np.median(there / here)}
    return {"method": method, **{name: float(value) for name, value in figures.items()}, "first": compiling}


def row(types: int, samples: int) -> list[str]:
    """One line of the table."""
    r, target = _bench.needed([types, samples]), TARGETS.get((types, samples))
    times = [f"{r[name]:,.3g} us" for name in ("engine", "numpy")]
    aim = "" if target is None else f"{target:,}"
    return [f"{types:,}", f"{samples:,}", r["method"], *times, f"{r['ratio']:,.2g}", aim, f"{r['first']:.1f} s"]


def one_case(types: str, samples: str) -> dict:
    """One case's figures."""
    return measured(int(types), int(samples))


def report(_: Namespace) -> str:
    """The whole page."""
    head = ["types", "tokens M", "way", "engine", "NumPy", "times faster", "aim", "first call"]
    rows = [row(types, samples) for types in TYPES for samples in SAMPLES]
    return f"""# Refits of a categorical loop

Printed by `python benchmarks/counts.py --write`. {_bench.machine("jax", "numpy")}.
Processor microseconds of one refit (one chain, one generation; {GENERATIONS} generations from Zipf's law, the number of
types left recorded at each), and how many times the peer's: `Generator.multinomial` over all types, for two types
`Generator.binomial` over all chains at once. "tokens" is exact; "pair", "types" and "poisson" draw counts within a
total variation that `numerics.samplers.cornish_fisher` and `numerics.samplers.alias` compute. The first call compiles.

{_bench.table(head, rows)}
"""


if __name__ == "__main__":
    _bench.run(_bench.parser("Refits of a categorical loop against NumPy's generator."), __file__, report, one_case)
