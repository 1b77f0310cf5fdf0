"""What the operator sees: calm lines, one per step, and the children's own lines behind their names."""

import contextlib
import os
import sys
import time

NAME_WIDTH = 9
COLOURS = {
    "postgres": 34,
    "valkey": 31,
    "web": 32,
    "stream": 36,
    "engine": 33,
    "worker": 35,
    "backup": 35,
    "simulator": 90,
}


class Screen:
    """Standard output, coloured on a terminal only, and silent once its reader has gone."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.last_line_at = self.started
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def say(self, line: str = "") -> None:
        """Print one line of the supervisor's own."""
        self.last_line_at = time.monotonic()
        with contextlib.suppress(OSError, ValueError):  # `./run | head`: losing the reader must not end the shop
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def step(self, line: str) -> None:
        """Print one line of progress with the seconds since the start."""
        self.say(f"{time.monotonic() - self.started:5.1f} s  {line}")

    def child(self, name: str, line: str) -> None:
        """Print one line that a child wrote."""
        prefix = f"{name:<{NAME_WIDTH}}|"
        self.say(f"{self.paint(prefix, COLOURS.get(name, 90))} {line}")

    def error(self, line: str) -> None:
        """Print the line that says why there is no shop, on standard error."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(self.paint(line, 31) + "\n")
            sys.stderr.flush()

    def paint(self, text: str, colour: int) -> str:
        """Colour a text when somebody looks."""
        return f"\033[{colour}m{text}\033[0m" if self._colour else text
