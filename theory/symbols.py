"""The symbols of self-consuming loops, each made once with its assumptions.

Two symbols of one name but different assumptions are different to SymPy, so every module and every user
takes them from here.
"""

from sympy import IndexedBase, Symbol

n = Symbol("n", integer=True, nonnegative=True)
"""Generation: model n has been fitted n times; generation 0 is the source."""
ell = Symbol("ell", integer=True, nonnegative=True)
"""Lag between two generations, n and n + ell."""
M = Symbol("M", integer=True, positive=True)
"""Samples per generation."""
K = Symbol("K", integer=True, positive=True)
"""Number of types of a categorical law."""

mu = Symbol("mu", real=True)
"""Fitted mean."""
V = Symbol("V", positive=True)
"""Fitted variance (never a standard deviation)."""
mu0 = Symbol("mu0", real=True)
"""Mean of the source."""
V0 = Symbol("V0", positive=True)
"""Variance of the source."""

p = IndexedBase("p", nonnegative=True)
"""Fitted probabilities of a categorical law: p[i]."""
p0 = IndexedBase("p0", nonnegative=True)
"""Probabilities of a categorical source: p0[i]."""
i = Symbol("i", integer=True, nonnegative=True)
"""Index of a type or of a coordinate."""
q = Symbol("p", nonnegative=True)
"""Fitted success probability of a Bernoulli law, printed p."""
q0 = Symbol("p0", nonnegative=True)
"""Success probability of a Bernoulli source, printed p0."""

rate = Symbol("rate", nonnegative=True)
"""Fitted rate of a Poisson law; 0 when all counts are."""
rate0 = Symbol("rate0", positive=True)
"""Rate of a Poisson source."""
mean = Symbol("mean", positive=True)
"""Fitted mean of a law on the positive numbers (exponential, gamma)."""
mean0 = Symbol("mean0", positive=True)
"""Mean of a source on the positive numbers."""
count_mean = Symbol("mean", nonnegative=True)
"""Fitted mean of a law on counts, printed mean; 0 when all counts are."""
count_mean0 = Symbol("mean0", nonnegative=True)
"""Mean of a source on counts, printed mean0."""
real_mean = Symbol("mean", real=True)
"""Fitted mean of a law on all real numbers, printed mean."""
real_mean0 = Symbol("mean0", real=True)
"""Mean of a source on all real numbers, printed mean0."""
r = Symbol("r", positive=True)
"""Known shape of a gamma, negative binomial or hyperbolic secant law."""
N = Symbol("N", integer=True, positive=True)
"""Known number of trials of a binomial law."""
theta = Symbol("theta", positive=True)
"""Fitted end point of a uniform law on (0, theta)."""
theta0 = Symbol("theta0", positive=True)
"""End point of a uniform source."""
# Positive in truth; declared non-negative so that it is not the symbol of the real share.
tail = Symbol("alpha", nonnegative=True)
"""Fitted tail index of a Pareto law, printed alpha."""
tail0 = Symbol("alpha0", positive=True)
"""Tail index of a Pareto source, printed alpha0."""

alpha = Symbol("alpha", positive=True)
"""Real share of each generation's data."""
tau = Symbol("tau", positive=True)
"""Sampling temperature."""
c = Symbol("c", positive=True)
"""Multiplier on the unbiased sample variance."""

d = Symbol("d", integer=True, positive=True)
"""Dimension: of a point, or the number of weights of a regression."""
noise = Symbol("noise", positive=True)
"""Variance of the noise in a regression's responses."""
w = Symbol("w", real=True)
"""Fitted weight along the true direction."""
w0 = Symbol("w0", real=True)
"""Length of the true weights."""
squares = Symbol("squares", nonnegative=True)
"""Sum of squares of the fitted weights."""
error = Symbol("error", nonnegative=True)
"""Squared distance of the fitted weights from the true ones."""
