# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     name: python3
#     display_name: Python 3
# ---

# %% [markdown]
# # What does my curve say?
#
# From 41 numbers, the variance of one run, follow 64 samples per generation, with a 90 % interval of 44 to 89 (50 in
# truth), a factor of 1.006 [0.959, 1.054] on the variance in each fit (0.98), and data that are replaced, with
# probability 0.81; a tenth of real points that are kept has 0.12, one of fresh ones 0.07. When a tenth of the variance
# is left is not known: at generation 253 in the median, after 60 with probability 0.95, and not by 1040 with
# probability 0.42, for factors about 1 and real points decide it; the run itself gets there at 154.

# %%
import os

import numpy as np
from sympy import log

from numerics import agree, simulate
from numerics.fitting import fit_curve, refit_test, tail_test
from theory import Gaussian, Loop, expect

CHAINS = int(os.environ.get("NOTEBOOK_CHAINS", "100000"))

# %% [markdown]
# ## A curve whose truth is known
# One run of a loop with 50 samples per generation, fitted by maximum likelihood; only its variance is measured, up to
# generation 40. Theory and simulation agree on the loop, so that what follows is about the inference.

# %%
loop = Loop(Gaussian(), samples=50)
run = simulate(loop, start={"mu": 0, "V": 1}, generations=200, chains=CHAINS, seed=0)
print(agreed := agree(expect(loop, log(Gaussian.V)), run))
whole = run["V"].to_numpy()[0]
curve = whole[:41]

# %% [markdown]
# ## What is behind it
# Every regime gets the likelihood of its own one-step law. `M` is known from the scatter of the steps, to about
# $\sqrt{2/40}$ of itself; the factor `c` from their mean, which sampling error pulls down as well, by $1/M$ per fit.
# From one variance per generation nobody can tell an estimator's bias from a temperature: both are in `c`. Where one set
# of real points is kept, `mixed` with `fresh=False`, its squares are a hidden number of the run, inferred with them.

# %%
found = fit_curve(curve)
print(found)

# %% [markdown]
# ## When will a tenth be left?
# A posterior over generations, regimes weighed by their probability; the run itself is simulated further than it was
# shown.

# %%
forecast = found.forecast(0.1)
truth = np.argmax(whole < 0.1) if (whole < 0.1).any() else None
print(forecast, "| the run itself:", truth)

# %%
from numerics.figures.fitted_curve import draw

figure = draw(found, 0.1)

# %% [markdown]
# ## And from two generations alone?
# The null is the loop itself: one honest refit on the earlier sample. A sample drawn at temperature 0.7 is more than
# that explains. Where only the tails are cut, at two standard deviations, the reach of the tails says so.

# %%
points = np.random.default_rng(0)
before = points.normal(0, 1, 2000)
model = before.mean(), before.std()
honest, cold = points.normal(*model, 2000), points.normal(model[0], 0.7**0.5 * model[1], 2000)
print(refit_test(before, honest, Loop(Gaussian())))
print(refit_test(before, cold, Loop(Gaussian())))

# %%
cut = honest[abs(honest - model[0]) < 2 * model[1]]
print(tail_test(before, cut, Loop(Gaussian())))
