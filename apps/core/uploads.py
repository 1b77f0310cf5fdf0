"""How files that browsers send are taken in."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import TemporaryFileUploadHandler

KEPT_BYTES = 10 * 1024 * 1024
MOST_BYTES = 32 * 1024 * 1024  # of a whole request


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Keeps the first 10 MB of a file: it still says how big it was, so that its form can refuse it with a word."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:  # noqa: N803 - Django's name
        """Refuse what nobody sends by mistake.

        Raises:
            RequestDataTooBig: the whole request is larger than any page of ours needs.
        """
        if content_length > MOST_BYTES:
            raise RequestDataTooBig("The files sent are too large.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write while there is room."""
        if start + len(raw_data) <= KEPT_BYTES:
            super().receive_data_chunk(raw_data, start)
