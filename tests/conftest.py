"""One Hypothesis profile for the whole suite: no deadlines, since a first call compiles, and reproducible runs."""

from hypothesis import HealthCheck, settings

settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
