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
# Where a fit keeps the moments of its data, what theory says; where training adds something of its own, they need not.
# After ten generations of 100 points a mixture fitted by EM has a total variance of 7.25 +- 0.33 (theory 7.40; 8.18 at
# first), and agrees in every regime: a round of EM matches mean and covariance exactly, and its floor adds 2e-6 a fit.
# A bigram of prose, which counts the letters after each letter, keeps a diversity of 0.757 +- 0.003 (theory 0.759) and
# of 0.8327 +- 0.0013 (0.8335) where data accumulate; with a quarter of real text the runs show what the theory leaves
# out, that contexts see a number of letters that varies: 0.8258 +- 0.0014 for 0.8270. A network that predicts the same
# letters keeps *more* diversity, 0.776 +- 0.011 for 0.759, since 400 steps leave it smoother than its data
# (approximation). A linear variational autoencoder of digits, trained for as many steps, does not collapse but
# *explodes*: 10.2 +- 1.0 for 4.0, again by approximation. Four times the steps leave 0.03 of that error's 0.61 at the
# first fit, and 6.0 +- 0.5 at the tenth. One with a hidden layer ends at 5.3 +- 0.2, too wide by what even eight times
# the training leaves at the first fit, counted as expressivity.

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
# No formula gives the best fit with a hidden layer: the same model, trained eight times as long, stands for it, so that
# what the evidence lower bound costs counts as expressivity there. Where "sees" is more than "change", runs tell the
# prediction from a large error, not from no change at all.

# %%
found = study(TRAINED, REGIMES, generations=2 if SMALL else 10)
print(found)

# %% [markdown]
# The verdict on the mixture's variance, which theory gives exactly for every source and every number of rounds:

# %%
held = found.row("mixture", Replace(), "V")
held.verdict, held.error.interval, held.smallest

# %%
figure = draw(found)
