"""What the documents tell people to type works, or the file beside this says why no test can try it."""

import json
import os
import re
import shlex
import socket
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import get_commands, load_command_class
from pytest_django.fixtures import Settings

from breadmate.backup import age
from tests.docs.documents import COVERED, DOCUMENTS, PROJECT, command, commands, needs

INLINE = re.compile(r"`([^`\n]+)`")
SHOWN = [(path.name, shown) for path in DOCUMENTS for shown in commands(path)]


def test_every_command_is_covered_and_every_line_is_of_a_command() -> None:
    assert {shown for _, shown in SHOWN} == {line["sh"] for line in COVERED}
    assert len(COVERED) == len({line["sh"] for line in COVERED})


@pytest.mark.parametrize("line", COVERED, ids=lambda line: line["sh"].splitlines()[0][:40])
def test_line_names_a_test_that_is_there_or_a_reason(line: dict[str, Any]) -> None:
    assert line.keys() in ({"sh", "test"}, {"sh", "why"})
    if "test" in line:
        path, _, name = line["test"].partition("::")
        assert re.search(rf"^def {name}\(", (PROJECT / path).read_text(), re.MULTILINE)


def test_commands_within_the_text_are_there_with_their_options() -> None:
    """What stands in backticks and begins like one of our commands: targets of make, our programs, those of manage.py."""
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    unknown = []
    for path in DOCUMENTS:
        for told in INLINE.findall(path.read_text()):
            words = told.removeprefix(".venv/bin/python ").split()
            if words[0] == "make" and not {word for word in words[1:] if "=" not in word} <= targets:
                unknown.append((path.name, told))
            if words[0] == "-m" and not (is_program(words[1])):
                unknown.append((path.name, told))
            if words[0] == "manage.py" and len(words) > 1 and words[1] != "…" and not is_managed(*words[1:]):
                unknown.append((path.name, told))
    assert unknown == []


def is_program(module: str) -> bool:
    path = PROJECT / module.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__main__.py").exists()


def is_managed(name: str, *words: str) -> bool:
    app = get_commands().get(name)
    if app is None:
        return False
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    return options <= load_command_class(str(app), name).create_parser("", name)._option_string_actions.keys()


def sh(text: str, folder: Path, **environ: str) -> str:
    done = subprocess.run(
        ["/bin/sh", "-euc", text], cwd=folder, env=os.environ | environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs("openssl")
def test_certificate_of_ones_own_is_taken_for_its_address(tmp_path: Path) -> None:
    sh(command("openssl req"), tmp_path)

    shop = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shop.load_cert_chain(tmp_path / "loja.crt", tmp_path / "loja.key")
    kiosk = ssl.create_default_context(cafile=str(tmp_path / "loja.crt"))  # where it is trusted once
    for name in ("192.168.0.10", "loja.local"):
        there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = kiosk.wrap_bio(back, there, server_hostname=name)
        server = shop.wrap_bio(there, back, server_side=True)
        for side in (client, server, client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
        assert client.getpeercert()


def test_keys_that_are_made_are_taken(tmp_path: Path, settings: Settings) -> None:
    of_customers = sh(command('python3 -c "import base64, secrets; print(base64'), tmp_path).strip()
    of_payments = sh(command("python3 -c \"import base64, secrets; print('1:'"), tmp_path).strip()

    settings.CUSTOMER_KEYS, settings.CUSTOMER_INDEX_KEY, settings.PAYMENT_KEYS = (
        f"1:{of_customers}",
        of_customers,
        of_payments,
    )

    assert run_checks(tags=[Tags.security]) == []


@needs("make")
def test_folder_of_the_backups_and_the_restore_from_it(tmp_path: Path) -> None:
    """As far as it gets without a backup: it is looked for where the command says, with the key that it names."""
    media = f"{tmp_path}/media/"
    sh(command("mkdir -p").replace("/media/", media), tmp_path)
    age.make_key(tmp_path / "media" / "usb" / "backup.key")

    with pytest.raises(AssertionError, match=f"Não há backup em {media}backup/breadmate"):
        sh(command("BACKUP_DIR=").replace("/media/", media), PROJECT, RUN_DIR=str(tmp_path / "run"), DATABASE_URL="")


@needs("curl")
def test_simulator_does_what_its_page_says(tmp_path: Path) -> None:
    starts, address, create, order, pay, *rest = commands(PROJECT / "ops/mpsim/README.md")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script = address.replace("8799", port) + "\n"
    words, environ = shlex.split(starts.replace("8799", port)), {"PATH": os.environ["PATH"]}
    program = subprocess.Popen(words, cwd=PROJECT, env=environ, stdout=subprocess.PIPE, text=True)
    with program:
        try:
            assert program.stdout is not None
            assert port in program.stdout.readline()
            made = json.loads(sh(script + create, tmp_path))
            assert made["type_response"]["qr_data"]
            script += order.replace("ORD01…", made["id"]) + "\n"
            told = [json.loads(sh(script + asked, tmp_path)) for asked in (pay, *rest)]
        finally:
            program.terminate()
    assert [answer for answer in told if "errors" in answer] == []
    assert told[0]["status"] == "processed"
    assert told[-1]["ledger"]["paid"] == "47.50"
