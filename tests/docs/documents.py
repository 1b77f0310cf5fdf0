"""The commands that the documents show, one by one."""

import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *(PROJECT / name for name in ("README.md", "README.pt-BR.md", "CONTRIBUTING.md", "ops/mpsim/README.md")),
    *sorted((PROJECT / "docs").glob("*.md")),
]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COVERED: list[dict[str, Any]] = tomllib.loads((PROJECT / "tests/docs/commands.toml").read_text())["command"]


def needs(program: str) -> pytest.MarkDecorator:
    """Skip a test, and say so, where a program is not there."""
    return pytest.mark.skipif(
        shutil.which(program) is None, reason=f"{program} is missing. Type:  sudo apt-get install {program}"
    )


def commands(document: Path) -> list[str]:
    """Give each command of a document's ``sh`` blocks; an open quote or a backslash at the end makes it go on over lines."""
    found = []
    for language, text in BLOCK.findall(document.read_text()):
        if language != "sh":
            continue
        begun = ""
        for line in text.splitlines():
            begun += line
            if is_whole(begun):
                found.append(re.sub(r"\s+# .*", "", begun))
                begun = ""
            else:
                begun += "\n"
        assert not begun, f"{document.name}: no end to {begun}"
    return [command for command in found if command.strip()]


def is_whole(text: str) -> bool:
    """Tell whether a shell would run this line now."""
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return not text.endswith("\\")


def command(beginning: str) -> str:
    """Give the one command of the documents that begins so, as it stands there."""
    found = {each for path in DOCUMENTS for each in commands(path) if each.startswith(beginning)}
    assert len(found) == 1, found
    return found.pop()
