"""What holds for every test: fixtures, no judging of time, no network beyond this machine."""

import ipaddress
import sys
from typing import Any

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.stack", "tests.fixtures"]

# No test here judges how long something takes, on a machine that may be busy.
settings.register_profile("breadmate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("breadmate")


class OutsideError(RuntimeError):
    """A test tried to reach another machine."""


def stay_here(event: str, args: tuple[Any, ...]) -> None:
    """Refuse connections that leave this machine; Unix sockets have a path for an address and may pass."""
    if event == "socket.connect" and isinstance(args[1], tuple):
        host = str(args[1][0])
        if host != "localhost" and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
            raise OutsideError(host)


sys.addaudithook(stay_here)
