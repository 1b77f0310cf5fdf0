"""Documents made from the code are current."""

import pytest

from breadmate import docs


@pytest.mark.parametrize("name", docs.MADE)
def test_document_says_what_the_code_says(name: str) -> None:
    assert (docs.DOCS / name).read_text() == docs.MADE[name](), "run: manage.py write_docs"
