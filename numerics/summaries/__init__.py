"""What is kept of a variable of all chains, by generation, in memory that does not grow with their number."""

from numerics.summaries.base import Summary as Summary
from numerics.summaries.counts import Histogram as Histogram
from numerics.summaries.counts import Passage as Passage
from numerics.summaries.counts import Share as Share
from numerics.summaries.moments import Covariance as Covariance
from numerics.summaries.moments import Extremes as Extremes
from numerics.summaries.moments import Moments as Moments
from numerics.summaries.quantiles import Quantiles as Quantiles
