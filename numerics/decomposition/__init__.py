"""The eight cells of the three error sources by simulation, each beside its theory, with shares and their errors."""

from numerics.decomposition.cells import simulated_sources as simulated_sources
from numerics.decomposition.verdict import FIGURES as FIGURES
from numerics.decomposition.verdict import Estimate as Estimate
from numerics.decomposition.verdict import Row as Row
from numerics.decomposition.verdict import SimulatedSources as SimulatedSources
from theory.sources import CELLS as CELLS
