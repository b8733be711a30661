# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     name: python3
#     display_name: Python 3
# ---

# %% [markdown]
# # How fast does a Gaussian forget?
#
# Fitted by maximum likelihood to its own 100 samples per generation, a Gaussian loses half of its *mean* variance in 69
# generations, but the *typical* run has lost half after 34: the mean lives in runs too rare to be seen. The unbiased
# estimator keeps the mean variance for ever, and its typical run still loses half in 68 generations.

# %%
import os

from sympy import Rational, log

from numerics import agree, simulate
from theory import MLE, Gaussian, Loop, Unbiased, drift, expect

CHAINS = int(os.environ.get("NOTEBOOK_CHAINS", "100000"))

# %% [markdown]
# ## Declare the loop, derive the answer
# Model $n$ has been fitted $n$ times; generation 0 is the source. `M` stays a symbol.

# %%
loop = Loop(Gaussian(), estimator=MLE())
expect(loop, Gaussian.V)

# %%
expect(loop, log(Gaussian.V))

# %%
expect(loop, (Gaussian.mu - loop.family.mu0) ** 2)

# %% [markdown]
# ## Mean against typical
# `drift` is the almost sure rate of $\log V_n$; the mean decays at $\log(1 - 1/M)$.

# %%
here = loop.at(M=100)
mean_half_life = (log(Rational(1, 2)) / log(1 - 1 / here.samples)).evalf(4)
typical_half_life = (log(Rational(1, 2)) / drift(here).rate).evalf(4)
unbiased_half_life = (log(Rational(1, 2)) / drift(Loop(Gaussian(), estimator=Unbiased(), samples=100)).rate).evalf(4)
mean_half_life, typical_half_life, unbiased_half_life

# %% [markdown]
# ## Simulate, and ask whether theory and simulation agree
# The verdict names the smallest error that this run would have caught.

# %%
run = simulate(here, start={"mu": 0, "V": 1}, generations=100, chains=CHAINS, seed=0)
verdict = agree(expect(here, Gaussian.V), run)
print(verdict)

# %%
typical = agree(expect(here, log(Gaussian.V)), run)
print(typical)

# %% [markdown]
# ## The picture
# Lines are theory; points are simulation, with simultaneous bars. The points of the mean end where a mean over this
# many chains can no longer be read.

# %%
from numerics.figures.forgetting import draw

figure = draw(verdict, typical, M=100, chains=CHAINS)
