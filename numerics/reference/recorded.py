"""What the slow simulator found, named as a fast run names it: one place to compare the two."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy import ndarray

from numerics.variables import variables
from theory.families import FixedDesignRegression, LinearRegression
from theory.loop import Loop


def recorded(loop: Loop, models: Mapping[str, ndarray]) -> xr.Dataset:
    """Return the models of `reference` as the dataset that `simulate` returns of the same loop.

    >>> from theory import Categorical
    >>> recorded(Loop(Categorical(["1/2", "1/2"]), samples=2), {"p": np.full((3, 2, 2), 0.5)})["p"].dims
    ('chain', 'generation', 'type')
    """
    if isinstance(loop.family, FixedDesignRegression):
        weights = ("chain", "generation", "direction")
        return xr.Dataset({"w": (weights, models["weights"])}, attrs={"observe": "{}"})
    found = dict(models)
    if isinstance(loop.family, LinearRegression):
        found |= {"w": models["weights"][..., 0], "squares": (models["weights"] ** 2).sum(-1)}
    for name in {"V", "width"} & found.keys():
        found[f"log_{name}"] = np.log(found[name])
    dims = variables(loop.family).dims
    named = {name: (("chain", "generation", *dims[name]), found[name]) for name in dims if name in found}
    return xr.Dataset(named, attrs={"observe": "{}"})
