"""The supervisor needs whole stacks, and loopback to ask them something."""

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.stack import PROJECT, Stack

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".run", "__pycache__", ".*_cache", "media")


@pytest.fixture
def open_folder() -> Generator[Path]:
    """A folder that other accounts may pass through, as Postgres must when root starts it (pytest's own are closed)."""
    folder = Path(tempfile.mkdtemp(prefix="breadmate-up-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def copy_with_space(open_folder: Path) -> Generator[Stack]:
    """A copy of the project under a path with a space, started by ``./run``; it shares our ``.venv``."""
    folder = open_folder / "bread mate"
    shutil.copytree(PROJECT, folder, ignore=NOT_COPIED, symlinks=True)
    (folder / ".venv").symlink_to(PROJECT / ".venv")
    stack = Stack(project=folder, command=("./run",), run_dir=folder / ".run")
    try:
        yield stack
    finally:
        stack.close()
