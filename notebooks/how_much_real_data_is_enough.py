# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     name: python3
#     display_name: Python 3
# ---

# %% [markdown]
# # How much real data is enough?
#
# A loop that is refitted on 40 of its own points keeps 78 % of its variance after ten generations. To keep 90 %, five
# of the 40 have to be real and new in every generation, and with five it is kept for ever; of one set of real points
# that is used again and again it takes 14. Without any real data it takes 96 points a generation, 955 in all, or
# $16 k^2$ in generation $k$ for ever. Simulation bears out the answer of five real points, and four are too few.

# %%
import os

from sympy import Rational

from numerics import at_boundary
from numerics.figures.boundary import draw
from theory import (
    V0,
    Gaussian,
    Loop,
    M,
    Mixed,
    Schedule,
    Tempered,
    Unbiased,
    Weighted,
    alpha,
    best,
    best_schedule,
    least_budget,
    mu0,
    n,
    plan,
    symbols,
    tau,
)

CHAINS = 40 * int(os.environ.get("NOTEBOOK_CHAINS", "100000"))
V, error, w = Gaussian.V, (Gaussian.mu - mu0) ** 2, symbols.w
keep, horizon = Rational(9, 10), 10

# %% [markdown]
# ## Real data in every generation
# Convention: 40 points a generation, exactly $\alpha M$ of them drawn anew from the source, maximum likelihood, and the
# mean over runs of the variance of model 10. In the long run the answer is a formula, for any $M$.

# %%
print(shared := plan(Loop(Gaussian(), regime=Mixed(alpha), samples=40), V, alpha, at_least=keep * V0, n=horizon))
print(for_ever := plan(Loop(Gaussian(), regime=Mixed(alpha), samples=40), V, alpha, at_least=keep * V0, n="oo"))
plan(Loop(Gaussian(), regime=Mixed(alpha)), V, alpha, at_least=keep * V0, n="oo")

# %% [markdown]
# Two other conventions: each point real with probability $\alpha$, and one set of real points that is kept.

# %%
chance = Mixed(alpha, count="bernoulli")
print(plan(Loop(Gaussian(), regime=chance, samples=40), V, alpha, at_least=keep * V0, n=horizon))
print(plan(Loop(Gaussian(), regime=Mixed(alpha, fresh=False), samples=40), V, alpha, at_least=keep * V0, n=horizon))

# %% [markdown]
# ## None at all: more points
# Convention: replace, every fit sees points of the last model alone. Equal sizes, sizes that grow like $m k^2$, and the
# least number of points in all, however they are spread over the fits.

# %%
loop = Loop(Gaussian(0, 1))
print(size := plan(loop, V, M, at_least=keep, n=horizon))
print(growing := plan(Loop(Gaussian(0, 1), regime=Schedule(M * n**2)), V, M, at_least=keep, n="oo"))
print(total := least_budget(loop, V, at_least=keep, n=horizon))

# %% [markdown]
# Where models narrow, late errors count less. Sampled at temperature 1/2, the squared error of the mean is
# $\sum_k \tau^k/M_k$, and the best sizes fall like $\tau^{k/2}$.

# %%
cold = Loop(Gaussian(0, 1), estimator=Unbiased(), sampling=Tempered(Rational(1, 2)))
print(best_schedule(cold, Gaussian.mu**2, 1000, n=horizon, want="least"))

# %% [markdown]
# ## Which weight, which temperature?
# Convention for the weight: half of 20 points are real, drawn anew, and weigh $w$ together; unbiased; long run. For the
# temperature: maximum likelihood, the drift of $\log V$ in one run, which is balanced at $\tau = e^{-m}$.

# %%
weighted = Loop(Gaussian(), estimator=Unbiased(), regime=Weighted(w, Rational(1, 2)), samples=20)
print(best(weighted, error, w))
print(weight := plan(weighted, error, w, at_most=V0 / 15, n=horizon))
print(balance := plan(Loop(Gaussian(0, 1), sampling=Tempered(tau), samples=20), "drift", tau, exactly=0))

# %% [markdown]
# ## At the boundary
# The answer is simulated, and the neighbour that should fail. As many chains are run as theory's distance from the
# bound asks for; what is too close to be told is not passed.

# %%
print(real := at_boundary(shared, chains=CHAINS))
print(fewest := at_boundary(total, chains=CHAINS))
print(balanced := at_boundary(balance, chains=CHAINS))

# %%
figure = draw([(shared, real), (total, fewest), (balance, balanced)])
