"""Learning procedures in words, for the reference simulator: every chain's steps written out, gradients by hand.

The Gaussian's free coordinates are (mu, log V), in which a point's loss is (log V + (x - mu)^2/V)/2.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, field, frozen
from numpy import ndarray
from numpy.random import Generator

from numerics.reference.families import Model
from numerics.reference.sources import moments
from theory.families import Mixture
from theory.learners import EM, SGD, SVI, Descent
from theory.loop import Loop
from theory.procedures import Floor
from theory.sampling import Faithful

GUIDE = 0.1
"""Standard deviation that NumPyro's normal guide starts with."""


def learned(loop: Loop, sets: Sequence[tuple[ndarray, float]], last: Model, source: Model, rng: Generator) -> Model:
    """Return the model that a learner ends in, from the last model or from the source."""
    if len(sets) > 1:
        raise ValueError(f"{loop.estimator} of weighted points is not known here. Choose an exact fit.")
    points = sets[0][0]
    if isinstance(loop.family, Mixture):
        return _climbed(loop, points, last, rng)
    how: Any = loop.estimator
    begin = last if getattr(how, "start", "last") == "last" else source
    if set(begin) != {"mu", "V"} or not isinstance(how, Descent | SVI):
        raise ValueError(f"{how} is not known here for {type(loop.family).__name__}. Choose a Gaussian on a line.")
    coordinates = np.stack([begin["mu"], np.log(begin["V"])], axis=1)
    end = _varied(how, points, coordinates, rng) if isinstance(how, SVI) else _descended(how, points, coordinates, rng)
    return {"mu": end[:, 0], "V": np.exp(end[:, 1])}


def gradient(theta: ndarray, points: ndarray) -> ndarray:
    """Return the gradient of the mean loss in (mu, log V).

    >>> gradient(np.array([[0.0, 0.0]]), np.array([[-1.0, 3.0]])).tolist()
    [[-1.0, -2.0]]
    """
    V, away = np.exp(theta[:, 1]), points - theta[:, :1]
    return np.stack([-away.mean(axis=1) / V, (1 - (away**2).mean(axis=1) / V) / 2], axis=1)


def _loss(theta: ndarray, points: ndarray) -> ndarray:
    return (theta[:, 1] + ((points - theta[:, :1]) ** 2).mean(axis=1) * np.exp(-theta[:, 1])) / 2


@frozen
class _Stepper:
    """Steps of descent and what they remember of gradients."""

    how: Any
    memory: dict[str, Any] = field(factory=lambda: {"count": 0, "first": 0.0, "second": 0.0})

    def stepped(self, theta: ndarray, slope: ndarray) -> ndarray:
        """Return the coordinates one step on."""
        rate, memory = float(self.how.rate), self.memory
        memory["count"] += 1
        if isinstance(self.how, SGD):
            if self.how.natural:
                slope = slope * np.stack([np.exp(theta[:, 1]), np.full(len(theta), 2.0)], axis=1)
            memory["first"] = float(self.how.momentum) * memory["first"] + slope
            return theta - rate * memory["first"]
        memory["first"] = 0.9 * memory["first"] + 0.1 * slope
        memory["second"] = 0.999 * memory["second"] + 0.001 * slope**2
        mean, square = (memory[k] / (1 - b ** memory["count"]) for k, b in (("first", 0.9), ("second", 0.999)))
        return theta - rate * mean / (np.sqrt(square) + 1e-8)


def _descended(how: Any, points: ndarray, theta: ndarray, rng: Generator) -> ndarray:
    """Return where the steps end."""
    if how.patience is not None:
        return _stopped(how, points, theta, rng)
    stepper = _Stepper(how)
    for _ in range(how.steps):
        theta = stepper.stepped(theta, gradient(theta, _batch(how.batch, points, rng)))
    return theta


def _stopped(how: Any, points: ndarray, theta: ndarray, rng: Generator) -> ndarray:
    """Return where the points held out were likeliest, before a chain's patience ended."""
    held, shuffled = int(float(how.held_out) * points.shape[1]), rng.permuted(points, axis=1)
    looked, seen = shuffled[:, :held], shuffled[:, held:]
    stepper, best, least = _Stepper(how), theta, _loss(theta, looked)
    since = np.zeros(len(points))
    for _ in range(how.steps):
        theta = stepper.stepped(theta, gradient(theta, _batch(how.batch, seen, rng)))
        loss, open_ = _loss(theta, looked), since < how.patience
        better = open_ & (loss < least)
        best, least = np.where(better[:, None], theta, best), np.where(better, loss, least)
        since = np.where(open_, np.where(better, 0, since + 1), since)
    return best


def _batch(batch: int | None, points: ndarray, rng: Generator) -> ndarray:
    """Return points drawn with replacement, or all."""
    if batch is None:
        return points
    return np.take_along_axis(points, rng.integers(points.shape[1], size=(len(points), batch)), axis=1)


def _varied(how: Any, points: ndarray, loc: ndarray, rng: Generator) -> ndarray:
    """Return the normal guide's median, or a draw, after steps of Adam on -ELBO with one draw each.

    With z = loc + s e the gradients are those of the loss at z, and (loss'(z) e - 1/s) ds/du for s = log(1 + exp(u));
    the prior 1/V is flat in log V.
    """
    u = np.full(loc.shape, np.log(np.expm1(GUIDE)))
    both, stepper = np.concatenate([loc, u], axis=1), _Stepper(how)
    for _ in range(how.steps):
        u, e = both[:, 2:], rng.standard_normal(loc.shape)
        s = np.log1p(np.exp(u))
        slope = points.shape[1] * gradient(both[:, :2] + s * e, points)
        slopes = np.concatenate([slope, (slope * e - 1 / s) / (1 + np.exp(-u))], axis=1)
        both = stepper.stepped(both, slopes)
    loc, s = both[:, :2], np.log1p(np.exp(both[:, 2:]))
    return loc if how.report == "mean" else rng.normal(loc, s)


# Mixtures on a line --------------------------------------------------------------------------------------------------


def mixture_source(loop: Loop, start: Mapping[str, Any]) -> Model:
    """Return model 0 of a mixture loop: the source's parts where it has as many, else its moments for all of them."""
    del start
    family, source = _family(loop), loop.source or loop.family
    k, (mean, variance) = family.components, moments(source)
    if _alike(loop):
        w, m, v = (np.array([float(x) for x in c]) for c in _columns(source))
    else:
        w, m, v = np.full(k, 1 / k), np.full(k, mean), np.full(k, variance)
    return {"w": w, "m": m, "v": v, "mu": np.array(mean), "V": np.array(variance)}


def mixture_draw(model: Model, size: int, sampling: Any, behind: int | None, rng: Generator) -> ndarray:
    """Return points of the mixtures."""
    if behind is not None or not isinstance(sampling, Faithful | None):
        raise ValueError(f"{sampling} of a mixture is not known here. Choose Faithful.")
    w = model["w"]
    below = np.cumsum(w, axis=1)[:, None, :-1]
    part = (rng.random((len(w), size, 1)) >= below).sum(axis=2)
    m, v = (np.take_along_axis(model[name], part, axis=1) for name in "mv")
    return rng.normal(m, np.sqrt(v))


def _climbed(loop: Loop, points: ndarray, last: Model, rng: Generator) -> Model:
    """Return the mixture after rounds of EM; a chain whose mean log-likelihood hardly rose keeps what it has."""
    how, k = mixture_fit(loop.estimator), _family(loop).components
    if how.start == "k-means++" or ("begun" not in last and not _alike(loop)):
        w, m, v = _seeded(points, k, float(how.floor), rng)
    else:
        w, m, v = last["w"], last["m"], last["v"]
    before, ended = np.full(len(points), -np.inf), np.zeros(len(points), bool)
    for _ in range(how.steps):
        new, height = _round(points, w, m, v, float(how.floor))
        w, m, v = (np.where(ended[:, None], old, x) for old, x in zip((w, m, v), new, strict=True))
        ended |= np.abs(height - before) < float(how.tolerance)
        before = height
        if ended.all():
            break
    mu = (w * m).sum(axis=1)
    V = (w * (v + (m - mu[:, None]) ** 2)).sum(axis=1)
    return {"w": w, "m": m, "v": v, "mu": mu, "V": V, "begun": np.array(True)}


def _family(loop: Loop) -> Any:
    return loop.family


def _alike(loop: Loop) -> bool:
    """Return whether the source is a mixture of as many parts, from which a climb can start."""
    source = loop.source or loop.family
    return isinstance(source, Mixture) and source.components == _family(loop).components


def _columns(source: Any) -> Any:
    return source.weights, source.means, source.variances


def mixture_fit(estimator: Any) -> EM:
    """Return the climb that an estimator of a mixture asks for; a floor around it is its own.

    >>> mixture_fit(Floor(1)).floor
    1000001/1000000
    """
    if isinstance(estimator, Floor):
        inside = mixture_fit(estimator.of)
        return evolve(inside, floor=inside.floor + estimator.eta)
    return estimator if isinstance(estimator, EM) else EM()


def _round(x: ndarray, w: ndarray, m: ndarray, v: ndarray, floor: float) -> tuple[Any, ndarray]:
    """Return weights, means and variances of a round, and the mean log-likelihood before it."""
    away = x[:, :, None] - m[:, None]
    with np.errstate(divide="ignore"):
        logs = np.log(w)[:, None] - (np.log(2 * np.pi * v)[:, None] + away**2 / v[:, None]) / 2
    top = logs.max(axis=2, keepdims=True)
    height = top[:, :, 0] + np.log(np.exp(logs - top).sum(axis=2))
    r = np.exp(logs - height[:, :, None])
    held = np.maximum(r.sum(axis=1), np.finfo(float).tiny)
    mean = np.where(r.sum(axis=1) > 0, (r * x[:, :, None]).sum(axis=1) / held, m)
    spread = (r * (x[:, :, None] - mean[:, None]) ** 2).sum(axis=1) / held
    return (r.mean(axis=1), mean, spread + floor), height.mean(axis=1)


def _seeded(x: ndarray, k: int, floor: float, rng: Generator) -> tuple[ndarray, ndarray, ndarray]:
    """Return the first parts: centres by squared distance from those before, every point given to the nearest."""
    chains, size = x.shape
    apart, centres = np.ones(x.shape), []
    for _ in range(k):
        below = np.cumsum(apart, axis=1)
        place = (below <= rng.random((chains, 1)) * below[:, -1:]).sum(axis=1).clip(max=size - 1)
        centres.append(x[np.arange(chains), place])
        away = (x - centres[-1][:, None]) ** 2
        apart = away if len(centres) == 1 else np.minimum(apart, away)
    nearest = np.abs(x[:, :, None] - np.stack(centres, axis=1)[:, None]).argmin(axis=2)
    r = np.eye(k)[nearest]
    held = np.maximum(r.sum(axis=1), np.finfo(float).tiny)
    mean = np.where(r.sum(axis=1) > 0, (r * x[:, :, None]).sum(axis=1) / held, np.stack(centres, axis=1))
    spread = (r * (x[:, :, None] - mean[:, None]) ** 2).sum(axis=1) / held
    return r.mean(axis=1), mean, spread + floor
