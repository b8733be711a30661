"""Draws from the laws of innovations, one to a file, as pure functions of a `Key`.

A chain's numbers depend on (seed, chain, generation, slot) and on nothing else, so that results are the same for any
chunk size, any order and any device count.
"""

from numerics.samplers.binomial import binomial as binomial
from numerics.samplers.chi_square import chi_square as chi_square
from numerics.samplers.chi_square import log_chi_square as log_chi_square
from numerics.samplers.cipher import CHAINS as CHAINS
from numerics.samplers.cipher import SEEDS as SEEDS
from numerics.samplers.cipher import chain_key as chain_key
from numerics.samplers.cipher import generation_key as generation_key
from numerics.samplers.cipher import slot_key as slot_key
from numerics.samplers.dirichlet import dirichlet as dirichlet
from numerics.samplers.exact_normal import exact_normal as exact_normal
from numerics.samplers.hyperbolic_secant import hyperbolic_secant as hyperbolic_secant
from numerics.samplers.laws import draw as draw
from numerics.samplers.laws import has_sampler as has_sampler
from numerics.samplers.laws import parameters as parameters
from numerics.samplers.maximum import log_maximum as log_maximum
from numerics.samplers.multinomial import multinomial as multinomial
from numerics.samplers.negative_binomial import negative_binomial as negative_binomial
from numerics.samplers.normal import normal as normal
from numerics.samplers.normal import normals as normals
from numerics.samplers.parts import parts as parts
from numerics.samplers.parts import sides as sides
from numerics.samplers.poisson import poisson as poisson
from numerics.samplers.tilted_squares import tilted_squares as tilted_squares
from numerics.samplers.uniform import uniform as uniform
