"""One Hypothesis profile for the whole suite: no deadlines, since a first call compiles, and reproducible runs.

What the command keeps of compiled programs stays inside the checkout.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

os.environ.setdefault("XDG_CACHE_HOME", str(Path(__file__).resolve().parent.parent / "build" / "cache"))


@pytest.fixture
def counted(monkeypatch):
    """First chains of the chunks that are computed."""
    from numerics import engine

    firsts, compiled = [], engine.compiled

    def counting(plan, devices):
        run = compiled(plan, devices)
        return lambda seed, given, chains, counts: firsts.append(int(chains[0, 0])) or run(seed, given, chains, counts)

    monkeypatch.setattr(engine, "compiled", counting)
    return firsts
