"""The doctor says what is wrong, and what to do; each with the real thing broken."""

import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import connection

from apps.core.actors import SYSTEM
from apps.core.facade import Finding, Level
from apps.core.ids import new_id
from apps.core.models import FailedDelivery, StoredEvent
from apps.payments import accounts, lines
from apps.payments.models import ProviderAccount, ProviderLine
from apps.stores.models import Store
from breadmate import doctor, gauges
from breadmate.backup.vault import STAMP, Vault
from tests.stack import PROJECT

NOW = datetime.now(UTC)
REDIS_URL = settings.REDIS_URL
ALL = (
    *("settings", "database", "clock", "migrations", "events", "dead_letters", "credentials", "provider", "webhook"),
    *("redis", "engine", "worker", "disk", "backup", "web", "certificate"),
)


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    """Nothing of this shop runs but its database; without a Redis nobody waits for a worker's answer."""
    settings.REDIS_URL = ""
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    settings.BACKUP_DIR = ""


def looked(*ids: str) -> dict[str, Level]:
    return {finding.id: finding.level for finding in doctor.examine(at=NOW) if not ids or finding.id in ids}


def only(id_: str) -> Finding:
    return next(finding for finding in doctor.examine(at=NOW) if finding.id == id_)


def test_every_line_that_is_not_good_has_its_cure(db: None, settings: Any) -> None:
    settings.REDIS_URL = REDIS_URL
    found = list(doctor.examine(at=NOW))

    assert tuple(finding.id for finding in found) == ALL
    assert [finding.id for finding in found if (finding.level == Level.OK) != (finding.cure == "")] == []
    levels = {finding.id: finding.level for finding in found}
    assert levels["database"] == levels["migrations"] == levels["redis"] == levels["clock"] == Level.OK
    assert levels["web"] == levels["worker"] == Level.BAD
    assert levels["engine"] == levels["backup"] == levels["certificate"] == levels["webhook"] == Level.LOOK


def test_database_that_is_away_is_said_and_ends_nothing(db: None) -> None:
    command = [sys.executable, "manage.py", "doctor", "--json"]
    away = {"DATABASE_URL": "postgres://x@127.0.0.1:9/x", "REDIS_URL": "redis://127.0.0.1:9/0", "DEMO": "0"}
    environ = {"PATH": "/usr/bin:/bin", "BREADMATE_ENV": "test", "SECRET_KEY": "s" * 50, "PORT": "9", **away}

    done = subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False)

    told = json.loads(done.stdout)
    levels = {line["id"]: line["level"] for line in told["checks"]}
    assert (done.returncode, told["ok"]) == (1, False)
    assert levels["database"] == levels["redis"] == levels["worker"] == levels["web"] == "bad"
    assert "migrations" not in levels


def test_missing_migration(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'kitchen'")

    assert only("migrations").level == Level.BAD
    assert "kitchen" in only("migrations").text


def test_late_event_and_dead_letter(db: None) -> None:
    StoredEvent.objects.create(
        type="OrderReady",
        version=1,
        occurred_at=NOW - timedelta(minutes=5),
        subject_id=new_id(),
        seq=1,
        correlation_id="",
        payload={},
    )
    FailedDelivery.objects.create(event_id=new_id(), handler="x", tries=5, next_try_at=NOW, dead_at=NOW, error="x")

    assert looked("events", "dead_letters") == {"events": Level.BAD, "dead_letters": Level.LOOK}


def test_token_sealed_with_keys_that_are_gone(store: Store, settings: Any) -> None:
    settings.PAYMENT_KEYS = "1:" + "A" * 43
    account = ProviderAccount(store=store)
    accounts.set_account(account, token="APP_USR-1", secrets=None, by=SYSTEM, at=NOW)
    assert only("credentials").level == Level.OK

    settings.PAYMENT_KEYS = "1:" + "B" * 42 + "A"

    assert only("credentials").level == Level.BAD


def test_store_without_a_token(store: Store, settings: Any) -> None:
    settings.MP_ACCESS_TOKEN = ""

    assert only("credentials").level == Level.BAD


def test_refused_token_and_last_webhook(db: None) -> None:
    ProviderLine.objects.create(key="settings", filled_at=NOW, refused=True, shut_until=NOW - timedelta(hours=1))
    lines.heard(["settings"], at=NOW - timedelta(days=1))
    assert looked("provider", "webhook") == {"provider": Level.BAD, "webhook": Level.OK}

    lines.heard(["settings"], at=NOW - timedelta(days=8))
    assert looked("webhook") == {"webhook": Level.LOOK}


def test_engine_that_hangs(db: None, settings: Any) -> None:
    seen = gauges.Gauges()
    server = gauges.serve(seen, 0)
    assert server is not None
    settings.METRICS_PORT = server.server_port
    try:
        assert only("engine").level == Level.BAD
        seen.refresh(NOW)
        assert only("engine").level == Level.OK
        assert seen.reading is not None
        seen.read_at = NOW - timedelta(minutes=5)
        assert only("engine").level == Level.BAD
    finally:
        server.shutdown()
        server.server_close()
    assert only("engine").text == "O motor (engine) não responde."


@pytest.mark.parametrize(("seconds", "level"), [(0.5, Level.OK), (10, Level.LOOK), (40, Level.BAD)])
def test_clock(seconds: float, level: Level) -> None:
    assert doctor.clock_finding(timedelta(seconds=seconds)).level == level


@pytest.mark.parametrize(("free", "level"), [(50e9, Level.OK), (3e9, Level.LOOK), (1e8, Level.BAD)])
def test_disk(free: float, level: Level) -> None:
    assert doctor.disk_finding("disk", "Aqui", int(free)).level == level


def test_backup_in_every_state(db: None, settings: Any, tmp_path: Path) -> None:
    settings.BACKUP_DIR = str(tmp_path / "backups")
    parts = ("backup_log", "backup_copy", "backup_drill", "backup_hook")
    assert looked("backup") == {"backup": Level.BAD}

    vault = Vault(tmp_path / "backups")
    vault.folder.mkdir()
    vault.make()
    assert looked(*parts) == {"backup_log": Level.BAD, "backup_copy": Level.BAD, "backup_drill": Level.LOOK}

    (vault.folder / "base" / f"{NOW:{STAMP}}-000000010000000000000005.tar.gz.age").touch()
    vault.write("status.json", {"shipped_at": NOW.isoformat(), "hook_failed": True})
    vault.write("drill.json", {"at": NOW.isoformat(), "ok": True, "seconds": 3.2})
    assert looked(*parts) == dict.fromkeys(parts[:3], Level.OK) | {"backup_hook": Level.LOOK}

    vault.write("status.json", {"shipped_at": (NOW - timedelta(minutes=2)).isoformat()})
    vault.write("drill.json", {"at": NOW.isoformat(), "ok": False})
    (vault.folder / "wal" / "000000010000000000000007.gz.age").touch()
    assert looked(*parts) == dict.fromkeys(parts[:3], Level.BAD)


@pytest.fixture
def tls_shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A server whose certificate is good for so many days more."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loja")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(NOW - timedelta(days=1))
    signed = made.not_valid_after(NOW + timedelta(days=request.param, hours=1)).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "shop.pem").write_bytes(text + signed.public_bytes(serialization.Encoding.PEM))
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "shop.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("tls_shop", "level"), [(90, Level.OK), (15, Level.LOOK), (3, Level.BAD)], indirect=["tls_shop"]
)
def test_certificate_that_ends(db: None, settings: Any, tls_shop: str, level: Level) -> None:
    settings.PUBLIC_URL = tls_shop

    assert only("certificate").level == level
    assert only("web").level == Level.BAD  # it answers 501
