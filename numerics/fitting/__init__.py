"""What a measured curve, or two samples, say about the loop behind them."""

from numerics.fitting.chance import Test as Test
from numerics.fitting.chance import Tests as Tests
from numerics.fitting.curve_fit import CurveFit as CurveFit
from numerics.fitting.curve_fit import RegimeFit as RegimeFit
from numerics.fitting.curve_fit import fit_curve as fit_curve
from numerics.fitting.forecast import Band as Band
from numerics.fitting.forecast import Crossing as Crossing
from numerics.fitting.information import Estimate as Estimate
from numerics.fitting.information import entropy as entropy
from numerics.fitting.information import mutual_information as mutual_information
from numerics.fitting.information import refitted_entropy as refitted_entropy
from numerics.fitting.observed import Observed as Observed
from numerics.fitting.observed import observed as observed
from numerics.fitting.observed import read_curve as read_curve
from numerics.fitting.posterior import Effort as Effort
from numerics.fitting.posterior import Evidence as Evidence
from numerics.fitting.tails import tail_test as tail_test
from numerics.fitting.two_samples import refit_test as refit_test
