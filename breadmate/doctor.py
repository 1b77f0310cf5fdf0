"""Looks at one shop as a technician would, and says the cure for whatever is wrong.

It calls nobody outside the shop and changes nothing; the way to Mercado Pago itself is ``mp_doctor``'s.
"""

import re
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import redis
from cryptography import x509
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError as BrokerAwayError

from apps.core import clock
from apps.core.facade import Finding, Level, UnreadableError
from apps.customers import crypto
from apps.customers.models import Customer
from apps.payments import accounts, lines
from apps.payments.breaker import Passage
from apps.payments.models import ProviderLine
from apps.stores.facade import every_store
from breadmate import gauges
from breadmate.backup.vault import Vault
from breadmate.celery import app as celery

WAIT_SECONDS = 3.0
SKEW_LOOK = timedelta(seconds=2)
DISK_LOOK, DISK_BAD = 5_000_000_000, 1_000_000_000
CERTIFICATE_LOOK, CERTIFICATE_BAD = timedelta(days=21), timedelta(days=7)
HEARTBEAT_LATE = timedelta(seconds=90)
EVENTS_LATE_SECONDS = 60.0
LOG_LATE = timedelta(seconds=60)
COPY_LATE = timedelta(hours=26)
READ_AT = re.compile(r"^breadmate_read_timestamp_seconds ([0-9.e+]+)", re.MULTILINE)


def examine(*, at: datetime) -> Iterator[Finding]:
    """Look at everything. Of the database a few indexed queries; waits at most some seconds for whatever is away."""
    yield from _settings()
    database = _database()
    yield database
    if database.level == Level.OK:
        yield clock_finding(clock.skew())
        migrations = _migrations()
        yield migrations
        if migrations.level == Level.OK:
            yield from _queues(at)
            yield from _credentials()
            yield from _provider(at)
    yield _redis()
    yield _engine(at)
    yield _worker()
    yield _disk()
    yield from _backup(at)
    yield from _front(at)


def _settings() -> Iterator[Finding]:
    wrong = [problem for problem in checks.run_checks(tags=[checks.Tags.security]) if problem.is_serious()]
    for problem in wrong:
        yield Finding("settings", Level.BAD, problem.msg, problem.hint or "")
    if not wrong:
        kind = "de verdade (produção)" if settings.PRODUCTION else "de demonstração ou teste"
        yield Finding("settings", Level.OK, f"Configuração em ordem, loja {kind}.")


def _database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
            version, size = cursor.fetchone()
    except (DatabaseError, InterfaceError) as problem:
        said = str(problem).strip().splitlines()[0] if str(problem).strip() else repr(problem)
        return Finding(
            "database", Level.BAD, f"O banco não responde: {said}", "Veja log/postgres.log; reinicie com ./run."
        )
    return Finding("database", Level.OK, f"Postgres {version.split()[0]} responde; o banco tem {size / 1e6:.0f} MB.")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(str(migration) for migration, _ in missing[:3])
        text = f"{len(missing)} migração(ões) por aplicar: {names}."
        return Finding("migrations", Level.BAD, text, "Rode manage.py prepare.")
    return Finding("migrations", Level.OK, "Todas as migrações estão aplicadas.")


def _queues(at: datetime) -> Iterator[Finding]:
    now = gauges.read(at)
    if now.lag_seconds > EVENTS_LATE_SECONDS:
        yield Finding(
            "events",
            Level.BAD,
            f"{now.undelivered} evento(s) esperam, o mais velho há {now.lag_seconds:.0f} s.",
            "O motor (engine) parou ou não vence: veja log/engine.log.",
        )
    else:
        yield Finding("events", Level.OK, "Os eventos são entregues em dia.")
    if now.dead:
        yield Finding(
            "dead_letters",
            Level.LOOK,
            f"{now.dead} entrega(s) que falharam cinco vezes e foram deixadas.",
            "Veja a causa em Administração → Entregas que falharam e mande tentar de novo.",
        )
    else:
        yield Finding("dead_letters", Level.OK, "Nenhuma entrega foi deixada.")


def _credentials() -> Iterator[Finding]:
    """See that what is sealed in the database opens with the keys of this installation."""
    try:
        tokens = [accounts.for_store(store.id).token for store in every_store() if not store.training]
        sealed = Customer.objects.exclude(cpf_cipher=None).order_by("-id").first()
        if sealed is not None and sealed.cpf_cipher is not None:
            crypto.open_sealed(bytes(sealed.cpf_cipher), row=sealed.id)
    except UnreadableError:
        yield Finding(
            "credentials",
            Level.BAD,
            "Um dado lacrado não abre: as chaves desta instalação não são as que o lacraram.",
            "Traga de volta PAYMENT_KEYS, CUSTOMER_KEYS e SECRET_KEY (estão em shop.env e em cada backup).",
        )
        return
    without = sum(not token for token in tokens)
    if without:
        cure = "Ponha MP_ACCESS_TOKEN em shop.env, ou a conta da loja em Administração → Contas do Mercado Pago."
        yield Finding("credentials", Level.BAD, f"{without} loja(s) sem access token do Mercado Pago.", cure)
    else:
        yield Finding("credentials", Level.OK, "As credenciais estão lacradas e abrem.")


def _provider(at: datetime) -> Iterator[Finding]:
    if ProviderLine.objects.filter(refused=True, shut_until__isnull=False).exists():
        cure = "Troque o access token e confira com manage.py mp_doctor."
        yield Finding("provider", Level.BAD, "O Mercado Pago recusa o access token de uma conta.", cure)
    elif set(lines.passages(at).values()) - {Passage.OPEN}:
        cure = "Veja a internet e status.mercadopago.com; o sistema volta a tentar sozinho."
        yield Finding("provider", Level.LOOK, "O Mercado Pago não tem respondido.", cure)
    else:
        yield Finding("provider", Level.OK, "O caminho ao Mercado Pago está livre (manage.py mp_doctor confere tudo).")
    heard = ProviderLine.objects.exclude(last_webhook_at=None).order_by("-last_webhook_at").first()
    last = heard.last_webhook_at if heard else None
    if last is not None and at - last < lines.DEAF_AFTER:
        yield Finding("webhook", Level.OK, f"Último aviso do Mercado Pago: {last.astimezone():%d/%m/%Y %H:%M}.")
    else:
        cure = f"Em Suas integrações → Webhooks, ponha {settings.PUBLIC_URL}/api/v1/payments/webhook."
        text = "Nenhum aviso do Mercado Pago em sete dias; o sistema pergunta sozinho, mais devagar."
        yield Finding("webhook", Level.LOOK, text, cure)


def clock_finding(skew: timedelta) -> Finding:
    """Judge by how much the clock here and the database's differ."""
    if skew < SKEW_LOOK:
        return Finding("clock", Level.OK, "O relógio daqui e o do banco concordam.")
    text = f"O relógio daqui e o do banco diferem {skew.total_seconds():.0f} s."
    return Finding(
        "clock", Level.BAD if skew > clock.MOST_SKEW else Level.LOOK, text, "Rode timedatectl set-ntp true nos dois."
    )


def _redis() -> Finding:
    if not settings.REDIS_URL:
        return Finding("redis", Level.LOOK, "Sem Redis: tudo funciona, mais devagar.", "Defina REDIS_URL.")
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=WAIT_SECONDS, socket_timeout=WAIT_SECONDS
        ) as client:
            client.ping()
    except redis.RedisError as problem:
        cure = "A loja continua, mais devagar. Veja log/valkey.log."
        return Finding("redis", Level.BAD, f"O Redis não responde: {problem}.", cure)
    return Finding("redis", Level.OK, "O Redis responde.")


def _engine(at: datetime) -> Finding:
    """Ask the engine for the moment it last read the database, which it does every 15 s."""
    if not settings.METRICS_PORT:
        return Finding("engine", Level.LOOK, "O motor não diz se vive.", "Defina METRICS_PORT (o ./run o faz).")
    cure = "Veja log/engine.log; o ./run o inicia de novo sozinho."
    try:
        url = f"http://{gauges.LOOPBACK}:{settings.METRICS_PORT}/metrics"
        with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:
            told = READ_AT.search(answer.read().decode())
    except OSError:
        return Finding("engine", Level.BAD, "O motor (engine) não responde.", cure)
    read_at = datetime.fromtimestamp(float(told[1]), UTC) if told else None
    if read_at is None or at - read_at > HEARTBEAT_LATE:
        return Finding("engine", Level.BAD, "O motor (engine) está parado.", cure)
    return Finding("engine", Level.OK, "O motor (engine) trabalha.")


def _worker() -> Finding:
    if not settings.REDIS_URL:
        return Finding("worker", Level.OK, "Sem Redis, o motor faz o trabalho do worker.")
    try:
        alive = celery.control.ping(timeout=WAIT_SECONDS)
    except (BrokerAwayError, redis.RedisError, OSError):
        alive = []
    if alive:
        return Finding("worker", Level.OK, f"{len(alive)} worker(s) trabalham.")
    return Finding(
        "worker",
        Level.BAD,
        "Nenhum worker responde; o motor faz o trabalho dele, mais devagar.",
        "Veja log/worker.log.",
    )


def _disk() -> Finding:
    return disk_finding("disk", "No disco da loja", shutil.disk_usage(_home()).free)


def _home() -> Path:
    """Return a folder on the shop's own disk."""
    return next(path for path in (settings.MEDIA_ROOT, *settings.MEDIA_ROOT.parents) if path.is_dir())


def disk_finding(id_: str, where: str, free: int) -> Finding:
    """Judge how many bytes are free."""
    text = f"{where} há {free / 1e9:.1f} GB livres."
    if free > DISK_LOOK:
        return Finding(id_, Level.OK, text)
    cure = "Apague o que não é da loja, ou diminua BACKUP_DAYS: com o disco cheio nada mais é vendido."
    return Finding(id_, Level.BAD if free < DISK_BAD else Level.LOOK, text, cure)


def _backup(at: datetime) -> Iterator[Finding]:
    if not settings.BACKUP_DIR:
        cure = "Ligue outro disco e defina BACKUP_DIR; veja docs/operacao.pt-BR.md."
        yield Finding("backup", Level.LOOK, "Não há backup: se o disco quebrar, tudo se perde.", cure)
        return
    vault = Vault(Path(settings.BACKUP_DIR))
    if not vault.folder.is_dir():
        yield Finding("backup", Level.BAD, f"A pasta {vault.folder} não existe.", "Ligue o disco do backup.")
        return
    yield disk_finding("backup_disk", "No disco do backup", shutil.disk_usage(vault.folder).free)
    if vault.folder.stat().st_dev == _home().stat().st_dev:
        cure = "Ligue outro disco (um pendrive serve) e mude BACKUP_DIR."
        yield Finding("backup_place", Level.LOOK, "O backup está no mesmo disco da loja e se perde com ele.", cure)
    status = vault.read("status.json")
    shipped_at = _moment(status.get("shipped_at"))
    if shipped_at is None or at - shipped_at > LOG_LATE:
        since = f"desde {shipped_at.astimezone():%d/%m/%Y %H:%M:%S}" if shipped_at else "nunca"
        cure = "Veja log/backup.log: ele diz o que falta."
        yield Finding("backup_log", Level.BAD, f"O backup contínuo não anda: {since}.", cure)
    else:
        yield Finding("backup_log", Level.OK, "Tudo o que é vendido está no backup em segundos.")
    yield _copy(vault, at)
    yield _drilled(vault, at)
    if status.get("hook_failed"):
        yield Finding("backup_hook", Level.LOOK, "A cópia para fora (BACKUP_HOOK) falhou.", "Veja log/backup.log.")


def _copy(vault: Vault, at: datetime) -> Finding:
    try:
        newest = vault.bases()[-1]
    except IndexError:
        return Finding("backup_copy", Level.BAD, "Ainda não há nenhuma cópia.", "Rode make backup-db.")
    hours = (at - newest.made_at) / timedelta(hours=1)
    text = f"A última cópia inteira tem {hours:.0f} h."
    if at - newest.made_at > COPY_LATE:
        return Finding("backup_copy", Level.BAD, text, "Rode make backup-db e veja log/backup.log.")
    if vault.log_since(newest).gap:
        return Finding("backup_copy", Level.BAD, "Falta um pedaço do registro depois dela.", "Rode make backup-db.")
    return Finding("backup_copy", Level.OK, text)


def _drilled(vault: Vault, at: datetime) -> Finding:
    drill = vault.read("drill.json")
    drilled_at = _moment(drill.get("at"))
    if drilled_at is None or at - drilled_at > COPY_LATE:
        return Finding("backup_drill", Level.LOOK, "Nenhum ensaio recente do backup.", "Rode make restore-drill.")
    if not drill.get("ok"):
        return Finding(
            "backup_drill", Level.BAD, f"O ensaio do backup falhou. {drill.get('text', '')}", "Rode make restore-drill."
        )
    return Finding("backup_drill", Level.OK, f"O backup foi aberto e conferido em {drill.get('seconds', 0):.0f} s.")


def _front(at: datetime) -> Iterator[Finding]:
    """Call the shop by the address its guests use."""
    address = urlsplit(settings.PUBLIC_URL)
    trusting = ssl._create_unverified_context()  # noqa: S323, SLF001 - the certificate is judged below
    request = urllib.request.Request(f"{settings.PUBLIC_URL}/health/ready")  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS, context=trusting):  # noqa: S310
            yield Finding("web", Level.OK, f"A loja responde em {settings.PUBLIC_URL}.")
    except urllib.error.HTTPError as refused:
        with refused:
            cure = "Veja log/web.log."
            yield Finding("web", Level.BAD, f"A loja responde {refused.code} em {settings.PUBLIC_URL}.", cure)
    except OSError:
        cure = "Veja log/web.log e se PUBLIC_URL é o endereço deste computador."
        yield Finding("web", Level.BAD, f"Ninguém responde em {settings.PUBLIC_URL}.", cure)
    if address.scheme != "https":
        cure = "Veja o certificado em docs/operacao.pt-BR.md."
        yield Finding("certificate", Level.LOOK, "Sem HTTPS: senhas passam abertas pela rede.", cure)
        return
    try:
        with (
            socket.create_connection((address.hostname or "", address.port or 443), WAIT_SECONDS) as plain,
            trusting.wrap_socket(plain, server_hostname=address.hostname) as wrapped,
        ):
            shown = x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError):
        yield Finding("certificate", Level.BAD, "O certificado não pôde ser lido.", "Confira TLS_CERT e TLS_KEY.")
        return
    left = shown.not_valid_after_utc - at
    text = f"O certificado vale por mais {left.days} dias."
    if left > CERTIFICATE_LOOK:
        yield Finding("certificate", Level.OK, text)
    else:
        cure = "Renove o certificado e reinicie a loja."
        yield Finding("certificate", Level.BAD if left < CERTIFICATE_BAD else Level.LOOK, text, cure)


def _moment(told: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(told))
    except ValueError:
        return None
