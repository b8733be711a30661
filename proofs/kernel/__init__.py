"""The small trusted checker: `check(certificate)` accepts or raises `Rejected`; standard library only."""

from proofs.kernel.rules import check as check
from proofs.kernel.verdict import Accepted as Accepted
from proofs.kernel.verdict import Rejected as Rejected
