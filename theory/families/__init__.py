"""The families, one per file."""

from theory.families.base import Derivable as Derivable
from theory.families.base import Family as Family
from theory.families.base import Stepped as Stepped
from theory.families.bernoulli import Bernoulli as Bernoulli
from theory.families.categorical import Categorical as Categorical
from theory.families.gaussian import Gaussian as Gaussian
from theory.families.multivariate import DiagonalGaussian as DiagonalGaussian
from theory.families.multivariate import MultivariateGaussian as MultivariateGaussian
from theory.families.recursion import Recursion as Recursion
