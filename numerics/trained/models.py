"""Small models of five kinds that people train, with what stands for their best fit and what theory says of them."""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
from attrs import evolve
from sympy import Rational

from numerics.samplers import chain_key
from numerics.texts.data import Corpus, prose
from numerics.trained.autoencoder import Autoencoder
from numerics.trained.components import Components, clusters
from numerics.trained.drawing import deviates
from numerics.trained.factors import Factors
from numerics.trained.letters import Counted, Network, windows
from numerics.trained.predictions import diversity_kept, transitions_kept, variance_kept
from numerics.trained.study import Theory, Trained
from numerics.trained.training import Training
from theory.learners import EM

LONGER = 8
"""How much longer a model is trained whose best fit has no formula."""


def digits() -> np.ndarray:
    """Return scikit-learn's 1797 pictures of 8 x 8 grey values in [0, 1], each as a row of 64, the mean taken off.

    E. Alpaydin, C. Kaynak, Optical recognition of handwritten digits, UCI repository (1998), CC BY 4.0.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    if find_spec("sklearn") is None:
        raise ModuleNotFoundError("scikit-learn, which holds the digits, is not installed. Install it, or give rows.")
    rows = import_module("sklearn.datasets").load_digits().data / 16
    return rows - rows.mean(0)


def low_rank(rows: int = 2000, dimension: int = 64, factors: int = 8) -> np.ndarray:
    """Return rows whose covariance is diag(1/1, 1/2, ..., 1/factors, 0, ...) + I/dimension up to sampling, for want of
    pictures.
    """
    lengths = np.sqrt(np.r_[1 / np.arange(1, factors + 1), np.zeros(dimension - factors)] + 1 / dimension)
    return np.asarray(deviates(chain_key(0, 0), (rows, dimension)), dtype=float) * lengths


def mixture(scale: int = 1, runs: int = 400) -> Trained:
    """Return two clusters in the plane, fitted by EM: 50 rounds at most from the last model on, floor 1e-6.

    Theory: the total variance is kept as a Gaussian's is, and what is left of the two sides as of two types.
    """
    data, M = clusters(2000, 5), 100 * scale
    sides = float(np.mean(data[:, 0] < 0))
    spread = float(data.var(0).sum())
    theory = {"V": _variance(spread, M), "balance": _balance(sides * (1 - sides), M)}
    best = Components(2, EM(1000, tolerance=Rational(1, 10**9), floor=0, start="k-means++"))
    return Trained("mixture", Components(2, EM(50)), best, data, M, runs, theory)


def autoencoder(data: np.ndarray, hidden: int = 0, scale: int = 1, runs: int = 48, steps: int = 400) -> Trained:
    """Return an autoencoder with 8 factors, its best fit exact without a hidden layer, and trained longer with one.

    Theory: the total variance is kept as a Gaussian's is.
    """
    d, M = data.shape[1], 64 * scale
    learner = Autoencoder(d, 8, hidden * scale, Training(steps * scale))
    longer = Autoencoder(d, 8, hidden * scale, Training(LONGER * steps * scale))
    best = longer if hidden else Factors(d, 8)
    name = "VAE" if hidden else "linear VAE"
    return Trained(name, learner, best, data, M, runs, {"V": _variance(float(data.var(0).sum()), M)})


def bigram(text: Corpus | None = None, scale: int = 1, runs: int = 400) -> Trained:
    """Return the frequencies of letters after each letter of a text: a language model that is counted, not trained.

    Theory: contexts forget independently, each as a vocabulary of its own.
    """
    rows, M = windows((text or prose()).text, 32), 64 * scale
    learner = Counted.of(rows)
    theory = {"diversity": _transitions(learner.joint, rows.shape[1] * M)}
    return Trained("bigram", learner, learner, rows, M, runs, theory)


def network(text: Corpus | None = None, scale: int = 1, runs: int = 48, steps: int = 400) -> Trained:
    """Return a network that predicts the next letter of a text; the best fit counts.

    Theory: contexts forget independently, each as a vocabulary of its own.
    """
    rows, M = windows((text or prose()).text, 32), 64 * scale
    learner = Network.of(rows, hidden=32 * scale, training=Training(steps * scale, batch=16))
    theory = {"diversity": _transitions(learner.joint, rows.shape[1] * M)}
    return Trained("network", learner, Counted.of(rows), rows, M, runs, theory)


def _variance(source: float, samples: int) -> Theory:
    return lambda regime, n: source * variance_kept(regime, samples, n)


def _balance(source: float, samples: int) -> Theory:
    return lambda regime, n: source * diversity_kept(regime, np.array([samples]), n)[:, 0]


def _transitions(joint: np.ndarray, tokens: int) -> Theory:
    return lambda regime, n: transitions_kept(joint, regime, tokens, n)


def pictures() -> np.ndarray:
    """Return the digits where scikit-learn is installed, else rows of as many numbers from `low_rank`."""
    return digits() if find_spec("sklearn") else low_rank()


def models(scale: int = 1, runs: int = 48) -> list[Trained]:
    """Return one model of each kind, the linear autoencoder trained twice: in a hurry, and four times as long.

    Args:
        scale: 1 is minutes on two cores; what it multiplies are rows, units and steps.
        runs: of each network; a mixture and a bigram have eight times as many.
    """
    rows = pictures()
    long = evolve(autoencoder(rows, scale=scale, runs=runs, steps=1600), name="linear VAE, longer")
    hurried = [autoencoder(rows, hidden, scale, runs) for hidden in (0, 32)]
    quick = [mixture(scale, 8 * runs), bigram(None, scale, 8 * runs)]
    return [*quick, network(None, scale, runs), *hurried, long]
