"""Plans held against simulation where it matters: at the answer, and at the neighbour that fails."""

from numerics.boundary.trial import at_boundary as at_boundary
from numerics.boundary.verdict import Boundary as Boundary
