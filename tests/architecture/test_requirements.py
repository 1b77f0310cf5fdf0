"""Every line of what was asked for says what became of it, and what it names is there."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PARTS = tomllib.loads((PROJECT / "docs/requirements.toml").read_text())["part"]
LINES = [line for part in PARTS for line in part["line"]]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["asked"][:40])
def test_line_says_what_became_of_it(line: dict[str, Any]) -> None:
    assert line["state"] in ("built", "replaced", "declined", "later")
    assert line["state"] != "built" or line["tests"]
    assert line["state"] == "built" or line["note"]
    for test in line.get("tests", ()):
        path, _, name = test.partition("::")
        assert re.search(rf"^def {name}\(", (PROJECT / path).read_text(), re.MULTILINE), test
    if "adr" in line:
        assert len(list((PROJECT / "docs/adr").glob(f"{line['adr']}-*"))) == 1
