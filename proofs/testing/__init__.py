"""For people who property-test derivations: strategies for loops and exact points, and `check_claim` for a formula."""

from proofs.testing.axes import ESTIMATORS as ESTIMATORS
from proofs.testing.axes import FAMILIES as FAMILIES
from proofs.testing.axes import REGIMES as REGIMES
from proofs.testing.axes import SAMPLINGS as SAMPLINGS
from proofs.testing.axes import SOURCES as SOURCES
from proofs.testing.check import Checked as Checked
from proofs.testing.check import Counterexample as Counterexample
from proofs.testing.check import Tried as Tried
from proofs.testing.check import check_claim as check_claim
from proofs.testing.induction import Induction as Induction
from proofs.testing.strategies import closes as closes
from proofs.testing.strategies import closing_loops as closing_loops
from proofs.testing.strategies import loops as loops
from proofs.testing.strategies import observables as observables
from proofs.testing.strategies import parameters as parameters
from proofs.testing.strategies import points as points
