"""What a measured curve, or two samples, say about the loop behind them."""

from numerics.fitting.curve_fit import CurveFit as CurveFit
from numerics.fitting.curve_fit import RegimeFit as RegimeFit
from numerics.fitting.curve_fit import fit_curve as fit_curve
from numerics.fitting.forecast import Band as Band
from numerics.fitting.forecast import Crossing as Crossing
from numerics.fitting.observed import Observed as Observed
from numerics.fitting.observed import observed as observed
from numerics.fitting.observed import read_curve as read_curve
from numerics.fitting.posterior import Effort as Effort
from numerics.fitting.posterior import Evidence as Evidence
