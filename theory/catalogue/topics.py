"""All specimens, topic by topic."""

from theory.catalogue import (
    accumulation,
    gaussian,
    genetics,
    mixing,
    multivariate,
    natural,
    recursions,
    regression,
)
from theory.catalogue.specimen import Specimen

TOPICS: dict[str, tuple[Specimen, ...]] = {
    "Gaussian refits": gaussian.SPECIMENS,
    "Covariance matrices": multivariate.SPECIMENS,
    "Accumulated data": accumulation.SPECIMENS,
    "Least squares": regression.SPECIMENS,
    "Real data mixed in": mixing.SPECIMENS,
    "Drift of frequencies": genetics.SPECIMENS,
    "One-parameter families": natural.SPECIMENS,
    "Recursions": recursions.SPECIMENS,
}
SPECIMENS: tuple[Specimen, ...] = tuple(one for specimens in TOPICS.values() for one in specimens)
