"""Exact theory of self-consuming loops: declare a `Loop`, then ask what becomes of it."""

from theory.estimators import MLE as MLE
from theory.estimators import Scaled as Scaled
from theory.estimators import Unbiased as Unbiased
from theory.families import Bernoulli as Bernoulli
from theory.families import Categorical as Categorical
from theory.families import DiagonalGaussian as DiagonalGaussian
from theory.families import Gaussian as Gaussian
from theory.families import MultivariateGaussian as MultivariateGaussian
from theory.loop import Loop as Loop
from theory.regimes import Accumulate as Accumulate
from theory.regimes import Mixed as Mixed
from theory.regimes import Replace as Replace
from theory.sampling import Faithful as Faithful
from theory.sampling import Tempered as Tempered
from theory.symbols import M as M
from theory.symbols import n as n
