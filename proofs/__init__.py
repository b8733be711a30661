"""Why to believe it: theorems, their certificates, and the checker that accepts or rejects them."""

from proofs.kernel import Accepted as Accepted
from proofs.kernel import Rejected as Rejected
from proofs.kernel import check as check
from proofs.theorem import Proof as Proof
from proofs.theorem import Theorem as Theorem
from proofs.theorem import prove as prove
