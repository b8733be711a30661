"""The same bits from another interpreter, with its own JAX and NumPy: both run the same loops, now, and are compared.

No digest is written down here. COLLAPSE_OTHER_PYTHON names the other interpreter, one that has the project's
dependencies in other versions, on the same processor; without it there is nothing to compare with. Laws whose points
are made with a library's own functions (hyperbolic secant, Pareto and truncated normal points, SVI, NUTS) promise no
bits beyond one version and are not listed.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sympy import Rational

from numerics import Quantiles, simulate
from theory import (
    EM,
    Accumulate,
    Bernoulli,
    Categorical,
    Gaussian,
    Loop,
    Mixed,
    Mixture,
    MultivariateGaussian,
    Poisson,
    PosteriorDraw,
    Schedule,
)
from theory.symbols import n

OTHER = os.environ.get("COLLAPSE_OTHER_PYTHON")
ONE, NORMAL = Rational(1, 10), Gaussian(0, 1)
PLANE = MultivariateGaussian([0, 1], [[2, 1], [1, 2]])
NINE = MultivariateGaussian([0] * 9, [[1 + (i == j) for j in range(9)] for i in range(9)])
TWENTY = MultivariateGaussian([0] * 20, [[1 + (i == j) for j in range(20)] for i in range(20)])
TWO = Mixture(2, weights=["1/4", "3/4"], means=[-2, 2], variances=[1, 1])
LOOPS = {
    "float64": (Loop(NORMAL, samples=10), {}),
    "mixed formats": (Loop(NORMAL, samples=10), {"precision": "mixed"}),
    "float32": (Loop(NORMAL, samples=10), {"precision": "f32"}),
    "accumulated": (Loop(NORMAL, regime=Accumulate(), samples=10), {}),
    "scheduled": (Loop(NORMAL, regime=Schedule(10 * n), samples=10), {}),
    "real share": (Loop(NORMAL, regime=Mixed(ONE), samples=20), {}),
    "streamed": (Loop(NORMAL, samples=10), {"paths": False, "summaries": {"log_V": [Quantiles([0.1, 0.9])]}}),
    "two types": (Loop(Bernoulli(ONE), samples=100), {}),
    "many types": (Loop(Categorical([ONE] * 10), samples=100), {"method": "tokens"}),
    "types one by one": (Loop(Categorical([ONE] * 10), samples=300), {"method": "types"}),
    "types by rejection": (Loop(Categorical([ONE] * 10), samples=300), {"method": "types-exact"}),
    "Poisson sums": (Loop(Poisson(3), samples=10), {}),
    "exact": (Loop(NORMAL, samples=10), {"exact": True}),
    "exact, float32": (Loop(NORMAL, samples=10), {"exact": True, "precision": "f32"}),
    "exact, two points": (Loop(NORMAL, samples=2), {"exact": True}),
    "exact successes": (Loop(Bernoulli(ONE), samples=100), {"exact": True}),
    "posterior": (Loop(NORMAL, estimator=PosteriorDraw(), samples=10), {"exact": True}),
    "plane": (Loop(PLANE, samples=10), {}),
    "plane, exact": (Loop(PLANE, samples=10), {"exact": True}),
    "plane, accumulated": (Loop(PLANE, regime=Accumulate(), samples=10), {}),
    "nine dimensions": (Loop(NINE, samples=20), {}),
    "twenty dimensions": (Loop(TWENTY, samples=30), {}),
    "plane, real share": (Loop(PLANE, regime=Mixed(ONE), samples=20), {}),
    "plane, posterior": (Loop(PLANE, estimator=PosteriorDraw(), samples=10), {}),
    "points": (Loop(NORMAL, samples=10), {"method": "data"}),
    "mixture by EM": (Loop(TWO, estimator=EM(10), samples=20), {}),
}


def digest(name):
    """Return the hash of all floats of a run."""
    loop, how = LOOPS[name]
    run = simulate(loop, generations=10, chains=1_000, seed=12345, **how)
    return hashlib.sha256(b"".join(run[x].to_numpy().tobytes() for x in sorted(map(str, run.data_vars)))).hexdigest()


@pytest.fixture(scope="module")
def others():
    """Return the digests of the other interpreter, all of one process."""
    root = Path(__file__).resolve().parent
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join((str(root.parent), str(root)))}
    made = subprocess.run(
        [str(OTHER), __file__], env=paths, capture_output=True, text=True, check=True, cwd=root.parent
    )
    return dict(line.split("\t") for line in made.stdout.splitlines())


@pytest.mark.skipif(OTHER is None, reason="COLLAPSE_OTHER_PYTHON names no interpreter to compare with")
@pytest.mark.parametrize("name", LOOPS)
def test_another_interpreter_gives_the_same_bits(name, others):
    """Assert that every float of a run is the same, to the bit, under another version of JAX."""
    assert others[name] == digest(name)


def test_digests_tell_runs_apart():
    """Assert that a digest changes with the format, and not from one run to the next."""
    assert digest("float64") == digest("float64") != digest("mixed formats")


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}\t{digest(name)}\n" for name in LOOPS)
