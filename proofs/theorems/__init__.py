"""All theorems, one per file; a new file that states a `THEOREM` is found without being listed anywhere."""

from importlib import import_module
from pkgutil import iter_modules

from proofs.theorem import Theorem

_FILES = sorted(found.name for found in iter_modules(__path__) if not found.name.startswith("_"))

ALL: tuple[Theorem, ...] = tuple(import_module(f"{__name__}.{name}").THEOREM for name in _FILES)
