"""Simulation of self-consuming loops on JAX, and the verdict on theory against it."""

from numerics.absorption import large_absorption as large_absorption
from numerics.agreement import Agreement as Agreement
from numerics.agreement import Curve as Curve
from numerics.agreement import agree as agree
from numerics.bounded import Bounded as Bounded
from numerics.branching_limit import BranchingLimit as BranchingLimit
from numerics.compiled import keep_compiled as keep_compiled
from numerics.curves import VOCABULARY as VOCABULARY
from numerics.curves import count_classes as count_classes
from numerics.curves import losses as losses
from numerics.curves import losses_of as losses_of
from numerics.curves import survival as survival
from numerics.curves import vocabulary as vocabulary
from numerics.decomposition import simulated_sources as simulated_sources
from numerics.large_chain import LargeChain as LargeChain
from numerics.processes import join as join
from numerics.reference import reference as reference
from numerics.runs import load as load
from numerics.runs import rerun as rerun
from numerics.runs import save as save
from numerics.simulate import simulate as simulate
from numerics.survival import Survival as Survival
from numerics.sweeps import cell as cell
from numerics.sweeps import sweep as sweep
