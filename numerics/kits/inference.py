"""Posteriors by NumPyro, its own kernels compiled into the loop: variational inference and the no-U-turn sampler.

The likelihood is read from the statistics of the points, so a step costs the same for any number of them. The keys of
`jax.random` that NumPyro asks for are made from the words of (seed, chain, generation).
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpyro
from attrs import frozen
from jax import Array, lax
from numpyro.distributions import ImproperUniform, constraints
from numpyro.infer import SVI as Variational
from numpyro.infer import Trace_ELBO, init_to_value
from numpyro.infer.autoguide import AutoNormal
from numpyro.infer.hmc import hmc

from numerics.chains import Given
from numerics.kits.kit import Kit, Model
from numerics.kits.likelihoods import Free, Likelihood
from numerics.kits.points import Data
from numerics.lifting import number
from numerics.samplers import slot_key
from numerics.samplers.cipher import Key, jax_key
from theory.learners import NUTS, SVI


@frozen(eq=False)
class Inference:
    """The posterior of a family under Jeffreys' prior, and how a model is read from it."""

    estimator: SVI | NUTS
    likelihood: Likelihood
    kit: Kit

    def learn(self, key: Key, given: Given, data: Data, last: Model, first: Any) -> Model:
        """Return the model that is reported of the posterior."""
        del first
        cold = getattr(self.estimator, "start", "last") == "source"
        near = self.kit.source(given) if cold else last
        free = {name: jnp.asarray(x, dtype=float) for name, x in self.likelihood.free(near).items()}
        fit = self.likelihood.statistics(self.kit, data, near)
        worth = data.size / given["noise"] if "noise" in given else data.size

        def log_density(free: Free) -> Array:
            prior: Any = self.likelihood.prior
            return prior(free) - worth * self.likelihood.loss(free, fit)

        learned = self._varied if isinstance(self.estimator, SVI) else self._sampled
        return self.likelihood.model(learned(key, given, free, log_density))

    def _varied(self, key: Key, given: Given, free: Free, log_density: Any) -> Free:
        """Return median or draw of a normal guide after so many steps of Adam on one-draw estimates of the bound."""
        estimator: Any = self.estimator

        def model() -> None:
            sites = {
                name: numpyro.sample(name, ImproperUniform(constraints.real, (), x.shape)) for name, x in free.items()
            }
            numpyro.factor("points", log_density(sites))

        guide = AutoNormal(model, init_loc_fn=init_to_value(values=dict(free)))
        svi = Variational(model, guide, numpyro.optim.Adam(number(estimator.rate, given)), Trace_ELBO())
        start = svi.init(jax_key(slot_key(key, 0)))
        end = lax.fori_loop(0, estimator.steps, lambda _, state: svi.update(state)[0], start)
        parameters = svi.get_params(end)
        if estimator.report == "mean":
            return guide.median(parameters)
        return guide.sample_posterior(jax_key(slot_key(key, 1)), parameters)

    def _sampled(self, key: Key, given: Given, free: Free, log_density: Any) -> Free:
        """Return the last round after the warm-up, or the mean of the rounds."""
        del given
        estimator: Any = self.estimator
        begin, onward = hmc(lambda z: -log_density(z), algo="NUTS")
        state = begin(dict(free), estimator.warmup, rng_key=jax_key(key))
        state = lax.fori_loop(0, estimator.warmup, lambda _, state: onward(state), state)

        def more(_: Any, carried: Any) -> Any:
            state, total = carried
            state = onward(state)
            return state, jax.tree.map(jnp.add, total, state.z)

        state, total = lax.fori_loop(0, estimator.samples, more, (state, jax.tree.map(jnp.zeros_like, state.z)))
        return state.z if estimator.report == "draw" else jax.tree.map(lambda x: x / estimator.samples, total)
