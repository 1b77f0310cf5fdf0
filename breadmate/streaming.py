"""gunicorn's worker of the stream process, given to it by ``-k breadmate.streaming.Worker``."""

from gunicorn.workers.gasgi import ASGIWorker


class Worker(ASGIWorker):
    """gunicorn's own; told to stop, it lets open streams end instead of cutting them off."""

    def handle_exit_signal(self) -> None:
        """Take nobody new and send the readers off; browsers come back by themselves, to the next process."""
        from apps.core.streams import hub  # noqa: PLC0415 - the master reads this file before Django is set up

        super().handle_exit_signal()
        hub.end()
