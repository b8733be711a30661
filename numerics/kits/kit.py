"""`Kit`: what the data path has to know of a family, whichever it is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from jax import Array

from numerics.chains import Given
from numerics.kits.distortions import Distortion
from numerics.kits.points import Data
from numerics.samplers.cipher import Key

Model = Mapping[str, Any]
"""What a chain knows of its last fit, by name."""


@frozen
class Kit:
    """How a family is drawn and fitted.

    Args:
        alike: whether model 0 is drawn as fitted models are.
        source: given -> model 0.
        real: (key, size, given, distortion) -> points of the true source, shape (size, ...).
        draw: (key, size, model, distortion) -> points of a fitted model; one that holds ``behind``, the number of
            points fitted, is drawn from its posterior predictive law.
        fit: (data, divisor of a sum of squares, last model) -> model, the exact fit.
        view: model -> recorded variables.
        weighted: (sets of data, their weights, last model) -> weighted fit; None where it follows from the fits.
        posterior: (key, fit, number of points) -> a draw from the Jeffreys posterior; None where theory says it.
        learn: (key, given, data, last model, whether it is the first fit) -> model, in place of ``fit`` for families
            that are fitted by more than a formula of their points.
        designed: whether points have a design, which model and given hold where one is drawn for all fits.
    """

    alike: bool
    source: Callable[[Given], Model]
    real: Callable[[Key, int, Given, Distortion], Array]
    draw: Callable[[Key, int, Model, Distortion], Array]
    fit: Callable[[Data, Any, Model], Model]
    view: Callable[[Model], dict[str, Array]]
    weighted: Callable[[Sequence[Data], Sequence[float], Model], Model] | None = None
    posterior: Callable[[Key, Model, Any], Model] | None = None
    learn: Callable[[Key, Given, Data, Model, Any], Model] | None = None
    designed: bool = False
