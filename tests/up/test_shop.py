"""A real shop: its own settings, no demo, another release in its place and back again."""

import json
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.stack import PROJECT, Stack
from tests.up.conftest import NOT_COPIED
from tests.up.test_children import wait_until_ready

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is missing. Type:  sudo apt-get install -y git"),
]
SECRETS = ("SECRET_KEY", "CUSTOMER_KEYS", "CUSTOMER_INDEX_KEY", "PAYMENT_KEYS")


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def run(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./run", *words], cwd=stack.project, env=stack.environ, capture_output=True, text=True, check=False
    )


@pytest.fixture
def shop(open_folder: Path) -> Generator[Stack]:
    """A clone of a first release, as a shop has it, beside the place where the next ones appear."""
    releases, folder = open_folder / "releases", open_folder / "bread mate"
    shutil.copytree(PROJECT, releases, ignore=NOT_COPIED, symlinks=True)
    git(releases, "init", "--quiet")
    git(releases, "add", "--all")
    git(releases, "commit", "--quiet", "-m", "one")
    git(open_folder, "clone", "--quiet", str(releases), str(folder))
    (folder / ".venv").symlink_to(PROJECT / ".venv")
    (open_folder / "backups").mkdir()
    settings = {"BACKUP_DIR": str(open_folder / "backups"), "BIND": "127.0.0.1", "MP_ACCESS_TOKEN": "APP_USR-1"}
    stack = Stack(project=folder, command=("./run", "--shop"), run_dir=folder / ".run", settings=settings)
    stack.environ["PUBLIC_URL"] = f"http://127.0.0.1:{stack.port}"
    try:
        yield stack
    finally:
        stack.close()


@pytest.mark.timeout(420)
def test_shop_is_updated_and_goes_back(shop: Stack) -> None:
    first = git(shop.project, "rev-parse", "HEAD")
    assert "There is no shop in" in run(shop, "--restart").stderr
    shop.start()

    told = dict(line.split("=", 1) for line in (shop.run_dir / "shop.env").read_text().splitlines() if "=" in line[1:])
    assert (shop.run_dir / "shop.env").stat().st_mode & 0o777 == 0o600
    assert len({told[name] for name in SECRETS}) == len(SECRETS)
    assert [name for name in SECRETS if told[name] in shop.log_path.read_text()] == []
    assert (shop.demo["stores"], shop.demo["staff"], "simulator" in shop.pids) == ([], {}, False)
    looked = {line["id"]: line for line in json.loads(shop.manage("doctor", "--json", check=False).stdout)["checks"]}
    assert looked["settings"]["text"] == "Configuração em ordem, loja de verdade (produção)."
    refused = run(shop)
    assert (refused.returncode, "holds a real shop: ./run --shop" in refused.stderr) == (1, True), refused.stderr

    releases = shop.project.parent / "releases"
    (releases / "CHANGELOG.md").write_text("two")
    git(releases, "commit", "--quiet", "-a", "-m", "two")
    before = shop.pids
    updated = run(shop, "--update")
    assert updated.returncode == 0, updated.stdout + updated.stderr + shop.tail()
    assert (shop.project / "CHANGELOG.md").read_text() == "two"
    assert shop.pid("supervisor") == before["supervisor"]
    assert shop.pid("web") != before["web"]
    assert len([*(shop.project.parent / "backups" / "base").iterdir()]) >= 1
    wait_until_ready(shop)

    back = run(shop, "--rollback")
    assert back.returncode == 0, back.stdout + back.stderr + shop.tail()
    assert git(shop.project, "rev-parse", "HEAD") == first
    wait_until_ready(shop)
    assert run(shop, "--rollback").stderr == "There was no update to go back from.\n"
    print(updated.stdout, back.stdout)


def test_unit_says_where_the_shop_is_and_who_it_is(shop: Stack) -> None:
    shown = run(shop, "--systemd")

    assert shown.returncode == 0, shown.stderr
    unit = (shop.run_dir / "breadmate.service").read_text()
    assert unit in shown.stdout
    assert f'ExecStart=/bin/sh "{shop.project}/run" --shop\n' in unit
    assert f"WorkingDirectory={shop.project}\n" in unit
