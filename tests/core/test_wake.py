"""News of events: one message tells of all that one transaction did."""

from uuid import uuid4

import orjson
import pytest

from apps.core.wake import News, message_of, parse


def test_one_message_tells_of_several_events() -> None:
    news = [News(type="order.created", store=uuid4(), subject=uuid4()), News(type="x", store=None, subject=uuid4())]

    assert parse(message_of(news)) == news


@pytest.mark.parametrize(
    "message", [b"", b"{", b"null", b"1", b"{}", b"[1]", b'["x"]', b"[{}]", orjson.dumps([{"type": "x", "store": 1}])]
)
def test_what_is_no_news_is_nobodys(message: bytes) -> None:
    assert parse(message) == []
