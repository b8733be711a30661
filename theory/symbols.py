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

alpha = Symbol("alpha", positive=True)
"""Real share of each generation's data."""
tau = Symbol("tau", positive=True)
"""Sampling temperature."""
c = Symbol("c", positive=True)
"""Multiplier on the unbiased sample variance."""
