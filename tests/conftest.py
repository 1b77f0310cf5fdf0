"""Fixtures for every test."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.stack", "tests.fixtures"]

# No test here judges how long something takes, on a machine that may be busy.
settings.register_profile("breadmate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("breadmate")
