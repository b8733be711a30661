# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     name: python3
#     display_name: Python 3
# ---

# %% [markdown]
# # What do trained models do?
#
# NUMBERS

# %%
import os

from sympy import Rational

from numerics.figures.trained_models import draw
from numerics.trained.models import models
from numerics.trained.study import study
from theory import Accumulate, Gaussian, Loop, Mixed, Replace, expect

CHAINS = int(os.environ.get("NOTEBOOK_CHAINS", "100000"))
SCALE = int(os.environ.get("NOTEBOOK_SCALE", "1"))
SMALL = CHAINS < 10_000
REGIMES = [Replace()] if SMALL else [Replace(), Accumulate(), Mixed(Rational(1, 4))]
TRAINED = models(SCALE, runs=4 if SMALL else 48)[: 2 if SMALL else None]

# %% [markdown]
# ## What theory says
# A fit that has the mean and the covariance of its data loses variance as a Gaussian does, whatever else it is: a
# mixture after any round of EM, and a factor model at the maximum of its likelihood, which is what a linear variational
# autoencoder is trained towards. And the letters that follow a letter are a vocabulary of their own: their diversity
# 1 - sum p^2 is kept by the same factors, with M the number of times that the letter is seen.

# %%
[expect(Loop(Gaussian(), regime=regime), Gaussian.V) for regime in REGIMES]

# %% [markdown]
# ## What is measured
# Every model is trained, sampled and trained again, ten times, in independent runs. A row says what theory predicts for
# the last generation, and how large a change that is; what was measured, with intervals of all generations that hold
# together; the smallest relative error that these runs would have seen; the verdict; what all fits together add to
# their data; and what explains a gap. Below: what each error source adds at the first fit, on the same real data.
# *Expressivity* is what the best fit of the family does to its data, *approximation* what training does beyond that.

# %%
found = study(TRAINED, REGIMES, generations=2 if SMALL else 10)
print(found)

# %% [markdown]
# The verdict on the mixture's variance, which is exact for every source and number of rounds:

# %%
held = found.row("mixture", Replace(), "V")
held.verdict, held.error.interval, held.smallest

# %%
figure = draw(found)
