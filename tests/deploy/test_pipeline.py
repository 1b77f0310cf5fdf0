"""What runs when a change lands, as far as it can be looked at without landing one."""

import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_every_action_is_pinned_to_a_commit() -> None:
    used = re.findall(r"uses: (\S+)", (PROJECT / ".github/workflows/ci.yml").read_text())
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []


def notes(version: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [PROJECT / "ops/release-notes.sh", version], capture_output=True, text=True, check=False, timeout=30
    )


def test_notes_of_a_release_are_its_part_of_the_changelog() -> None:
    told = notes("Unreleased")
    assert told.returncode == 0
    assert "Guests order at a touch kiosk" in told.stdout
    assert "\n## " not in told.stdout
    unknown = notes("9.9.9")
    assert (unknown.returncode, unknown.stdout) == (1, "")


def test_scripts_of_the_pipeline_are_posix() -> None:
    for script in ("rollout", "smoke", "release-notes"):
        subprocess.run(["sh", "-n", PROJECT / f"ops/{script}.sh"], check=True, timeout=30)
