"""A slow, obvious simulator in NumPy: it keeps every data point and knows estimators and regimes by their words.

An oracle must not share what it judges: nothing here reads the step, the parts or the multipliers of the theory, so a
mistake in them shows as a disagreement.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from theory.estimators import MLE, Scaled, Unbiased
from theory.families import Bernoulli, Categorical, DiagonalGaussian, Gaussian, MultivariateGaussian
from theory.loop import Loop
from theory.regimes import Accumulate, Mixed, Replace
from theory.sampling import Tempered

Model = dict[str, np.ndarray]
"""Fitted parameters by name, the first axis the chain."""


def reference(
    loop: Loop, start: Mapping[str, Any] | None, generations: int, chains: int, rng: Generator
) -> dict[str, np.ndarray]:
    """Return every parameter by name, shape (chain, generation, ...), generation 0 being the source.

    Args:
        loop: a loop with numbers for all its symbols but those of the source.
        start: "mu" and "V", or "p", where the source is left in symbols.
        generations: number of refits.
        chains: number of independent runs.
        rng: the source of randomness.

    >>> from theory import Gaussian
    >>> runs = reference(Loop(Gaussian(0, 1), samples=9), None, 2, 5, np.random.default_rng(0))
    >>> runs["V"].shape
    (5, 3)
    """
    samples, temperature = int(loop.samples), _temperature(loop)
    source = _source(loop, dict(start or {}), chains)
    models, seen = [source], None
    for generation in range(1, generations + 1):
        draw = _draw_source if generation == 1 else _draw
        if isinstance(loop.regime, Replace):
            data = draw(loop, models[-1], samples, temperature, rng)
        elif isinstance(loop.regime, Accumulate):
            new = draw(loop, models[-1], samples, temperature, rng)
            data = seen = new if seen is None else np.concatenate([seen, new], axis=1)
        elif isinstance(loop.regime, Mixed):
            real = round(float(loop.regime.alpha) * samples)
            synthetic = draw(loop, models[-1], samples - real, temperature, rng)
            data = np.concatenate([_draw_source(loop, source, real, 1.0, rng), synthetic], axis=1)
        else:
            raise ValueError(f"{loop.regime} is no regime of the reference simulator. Choose Replace, Accumulate or Mixed.")
        models.append(_fit(loop, data, len(np.atleast_1d(source["p"][0])) if "p" in source else 0))
    recorded = [name for name in source if not name.startswith("true")]
    return {name: np.stack([model[name] for model in models], axis=1) for name in recorded}
