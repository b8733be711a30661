"""Compiled programs kept on disk, so that a fresh process starts with what an earlier one has compiled.

JAX has such a cache and leaves it off. It is switched on by the command `collapse`, and in a script by one call, never
by an import.
"""

import hashlib
import os
import platform
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache

FOLDER, SECONDS = "jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"


def keep_compiled(folder: str | os.PathLike[str] | None = None) -> Path:
    """Keep compiled programs in a folder from here on, and return it.

    Args:
        folder: the folder; None for the one that JAX_COMPILATION_CACHE_DIR names, else ``collapse-theory`` in
            XDG_CACHE_HOME or ~/.cache, with one folder for each kind of processor. It may be removed at any time.

    Raises:
        ValueError: the folder cannot be made.

    JAX keeps programs from a second of compilation on; here it keeps all, unless
    JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS says otherwise.
    """
    chosen = folder or getattr(jax.config, FOLDER) or _home() / "collapse-theory" / f"compiled-{_processor()}"
    try:
        Path(chosen).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{str(chosen)!r} cannot be made ({error.strerror}). Name another folder.") from error
    jax.config.update(FOLDER, str(chosen))
    if SECONDS.upper() not in os.environ:
        jax.config.update(SECONDS, 0.0)
    compilation_cache.reset_cache()  # where programs were kept elsewhere before, JAX would go on there
    return Path(chosen)


def _home() -> Path:
    """Return where a user's caches are."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _processor() -> str:
    """Return a short name of what programs are compiled for: a home folder may be that of many machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        facts = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    except OSError:
        facts = []
    return hashlib.sha256("\n".join([platform.machine(), platform.processor(), *facts]).encode()).hexdigest()[:8]
