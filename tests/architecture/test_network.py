"""No test reaches beyond this machine."""

import socket

import pytest

from tests.conftest import OutsideError


def test_connection_to_the_outside_is_refused() -> None:
    with socket.socket() as outside, pytest.raises(OutsideError, match=r"192\.0\.2\.1"):
        outside.connect(("192.0.2.1", 80))
