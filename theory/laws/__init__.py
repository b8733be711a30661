"""Laws of innovations beside the Gaussian's and the counts', one per file."""

from theory.laws.maximum import Maximum as Maximum
from theory.laws.natural_sum import NaturalSum as NaturalSum
