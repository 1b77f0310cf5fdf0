"""``python -m breadmate.backup``: what people and the supervisor call."""

import argparse
import fcntl
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from pyrage.x25519 import Identity

from breadmate.backup import age, keeper, restoring
from breadmate.backup.place import Place, find
from breadmate.backup.restoring import Restored
from breadmate.backup.vault import BackupError
from breadmate.up.errors import StartError
from breadmate.up.plan import write_private

MEGABYTE = 1_000_000
NICE = 10
OLDEST_HOURS = 26.0


def main() -> int:
    """Do one thing; 0 when it went well."""
    parser = argparse.ArgumentParser(prog="python -m breadmate.backup", description="Backups da loja.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("now", help="faz uma cópia de tudo agora")
    commands.add_parser("list", help="mostra os backups que há")
    restoring_words = commands.add_parser(
        "restore", help="traz o backup mais novo de volta; a loja precisa estar fechada"
    )
    restoring_words.add_argument(
        "--replace", action="store_true", help="guarda o banco que há ao lado, com outro nome, em vez de recusar"
    )
    restoring_words.add_argument("--into", type=Path, help="pasta para o banco, quando o Postgres é seu (DATABASE_URL)")
    commands.add_parser("drill", help="ensaio: abre o backup mais novo ao lado da loja, confere e joga fora")
    commands.add_parser("keep", help="o processo que o ./run mantém: guarda tudo o que é escrito")
    commands.add_parser("nightly", help="o trabalho da noite: uma cópia, um ensaio")
    options = parser.parse_args()
    try:
        return run(options)
    except (BackupError, StartError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def run(options: argparse.Namespace) -> int:
    """Do what the words say.

    Raises:
        BackupError, StartError: it cannot be done.
    """
    place = find()
    if options.command == "list":
        return show(place)
    if options.command == "restore":
        return restore(place, options.into, replace=options.replace)
    key = own_key(place)
    if options.command == "keep":
        keeper.Keeper(place, key).run()
        return 0
    if options.command == "nightly":
        os.nice(NICE)
    if options.command in {"now", "nightly"}:
        base = keeper.make_copy(place, key)
        say(f"Cópia feita: {base.path.name}, {base.path.stat().st_size / MEGABYTE:.1f} MB.")
    return 0 if options.command == "now" else drill(place)


def own_key(place: Place) -> Identity:
    """Read the shop's key, made the first time.

    Raises:
        BackupError: it is gone while there are backups that only it opens.
    """
    path = place.plan.backup_key
    if not path.exists() and not place.vault.about():
        age.make_key(path)
        say(
            f"A chave dos backups está em {path}: copie-a AGORA para fora deste computador, sem ela nenhum backup abre."
        )
    return age.read_key(path)


def restore(place: Place, into: Path | None, *, replace: bool) -> int:
    """Bring the newest backup back.

    Raises:
        BackupError: the shop is open, there is a database already, or the backup cannot be used.
    """
    target(place, into, replace=replace)
    run_dir = place.plan.run_dir
    run_dir.mkdir(parents=True, exist_ok=True)
    run_dir.chmod(0o711)
    with (run_dir / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError("A loja está aberta: pare o ./run primeiro (Ctrl-C).") from None
        key = age.read_key(place.plan.backup_key)
        restoring.bring_files_back(place, key)
        place = find()  # the settings that came back may name a Postgres of the shop's own
        data = target(place, into, replace=replace)
        kept = data.exists()
        restored = restoring.restore(place, key, data)
        if not (run_dir / "backup.key").exists():
            write_private(run_dir / "backup.key", place.plan.backup_key.read_text())
    told(restored)
    say(f"O banco está de volta em {data}{'; o que havia ficou ao lado, com outro nome' if kept else ''}.")
    say("Abra a loja com o ./run de sempre." if place.ours else "Faça o seu servidor usar essa pasta e abra a loja.")
    say(
        "O que foi pago depois do último momento acima aparece no Mercado Pago e no fechamento do dia, não nos pedidos."
    )
    return 0 if restored.ok else 1


def target(place: Place, into: Path | None, *, replace: bool) -> Path:
    """Say which data directory a restore makes.

    Raises:
        BackupError: none is named, its folder is not there, or there is a database already.
    """
    if not place.ours and into is None:
        raise BackupError(
            "DATABASE_URL aponta para um Postgres seu: diga uma pasta nova (make restore INTO=/uma/pasta/nova), e depois "
            "faça o seu servidor usá-la."
        )
    data = into.resolve() if into else place.data
    if into and not data.parent.is_dir():
        raise BackupError(f"A pasta {data.parent} não existe.")
    if data.exists() and not replace:
        raise BackupError(f"Já há um banco em {data}. Para guardá-lo ao lado e restaurar: make restore REPLACE=1")
    return data


def drill(place: Place) -> int:
    """Prove that the newest backup can be restored, and remember how it went."""
    result = {"at": datetime.now(UTC).isoformat(), "ok": False, "text": ""}
    try:
        restored = restoring.drill(place, age.read_key(place.plan.backup_key))
        hours = (datetime.now(UTC) - restored.base.made_at).total_seconds() / 3600
        told(restored)
        result |= {"ok": restored.ok and hours <= OLDEST_HOURS, "seconds": round(restored.seconds, 1)}
        if hours > OLDEST_HOURS:
            say(f"VELHO: a cópia tem {hours:.0f} h; deveria haver uma por noite.")
    except (BackupError, StartError) as error:
        result["text"] = str(error)
        sys.stderr.write(f"{error}\n")
    place.vault.write("drill.json", result)
    say("Ensaio: o backup volta." if result["ok"] else "Ensaio: o backup NÃO serve assim.")
    return 0 if result["ok"] else 1


def show(place: Place) -> int:
    """List the copies and say how far the log goes."""
    for base in place.vault.bases():
        log = place.vault.log_since(base)
        gap = "  FALTA UM PEDAÇO do registro depois dela" if log.gap else ""
        size = base.path.stat().st_size / MEGABYTE
        say(f"{base.made_at.astimezone():%d/%m/%Y %H:%M:%S}  {size:8.1f} MB  {base.path.name}{gap}")
    newest = place.vault.newest_write()
    say(f"Registro guardado até {newest.astimezone():%d/%m/%Y %H:%M:%S}." if newest else "Nenhum registro guardado.")
    return 0


def told(restored: Restored) -> None:
    """Say what came back."""
    facts = restored.facts
    last = facts["last_commit_at"]
    say(
        f"Cópia de {restored.base.made_at.astimezone():%d/%m/%Y %H:%M:%S} e {len(restored.log.files)} pedaço(s) de registro."
    )
    if last:
        say(f"Último momento que voltou: {datetime.fromisoformat(last).astimezone():%d/%m/%Y %H:%M:%S}.")
    say("Linhas: " + ", ".join(f"{table} {count}" for table, count in facts["rows"].items()) + ".")
    if restored.log.gap:
        say("FALTA UM PEDAÇO do registro: o que veio depois dele não voltou.")
    for rule, rows in facts["broken"].items():
        say(f"QUEBRADA {rule}: {'; '.join(rows)}")
    if facts["ok"]:
        say("Auditoria: todas as regras valem.")
    say(f"Levou {restored.seconds:.1f} s.")


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
