"""What ends a start."""


class StartError(Exception):
    """The stack cannot run; the message is the one line its operator reads, and says what to do."""


class StopAskedError(Exception):
    """Ctrl-C, SIGTERM or SIGHUP arrived."""
