"""The families, one per file."""

from theory.families.base import Derivable as Derivable
from theory.families.base import Family as Family
from theory.families.base import Stepped as Stepped
from theory.families.bernoulli import Bernoulli as Bernoulli
from theory.families.binomial import Binomial as Binomial
from theory.families.categorical import Categorical as Categorical
from theory.families.diagonal import DiagonalGaussian as DiagonalGaussian
from theory.families.exponential import Exponential as Exponential
from theory.families.fixed_design import FixedDesignRegression as FixedDesignRegression
from theory.families.gamma import Gamma as Gamma
from theory.families.gaussian import Gaussian as Gaussian
from theory.families.hyperbolic_secant import HyperbolicSecant as HyperbolicSecant
from theory.families.markov import NGram as NGram
from theory.families.multivariate import MultivariateGaussian as MultivariateGaussian
from theory.families.natural import NaturalFamily as NaturalFamily
from theory.families.negative_binomial import NegativeBinomial as NegativeBinomial
from theory.families.one_parameter import OneParameter as OneParameter
from theory.families.pareto import Pareto as Pareto
from theory.families.poisson import Poisson as Poisson
from theory.families.recursion import Recursion as Recursion
from theory.families.regression import LinearRegression as LinearRegression
from theory.families.uniform import Uniform as Uniform
