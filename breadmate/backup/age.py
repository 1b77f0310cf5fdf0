"""Seals and opens files in the age format; ``age -d -i backup.key`` of any system opens them, too."""

import gzip
from pathlib import Path
from typing import IO

import pyrage
from pyrage import x25519

from breadmate.backup.vault import BackupError, replacing
from breadmate.up.plan import write_private

HEAD = "# Abre os backups desta loja. Guarde uma cópia FORA deste computador: sem ela nenhum backup abre.\n"


def make_key(path: Path) -> None:
    """Write a new key where none is; only its owner may read it."""
    key = x25519.Identity.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, f"{HEAD}# public key: {key.to_public()}\n{key}\n")


def read_key(path: Path) -> x25519.Identity:
    """Read a key, as ``make_key`` or ``age-keygen`` wrote it.

    Raises:
        BackupError: there is none in that file.
    """
    try:
        lines = path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        raise BackupError(f"A chave {path} não existe: copie para lá a cópia que você guardou fora.") from None
    except OSError as error:
        raise BackupError(f"A chave {path} não pode ser lida: {error.strerror}.") from None
    for line in lines:
        if line.startswith("AGE-SECRET-KEY-"):
            try:
                return x25519.Identity.from_str(line.strip())
            except pyrage.IdentityError:
                break
    raise BackupError(f"O arquivo {path} não tem uma chave de backup (uma linha AGE-SECRET-KEY-…).")


def public(key: x25519.Identity) -> str:
    """Name a key without giving it away."""
    return str(key.to_public())


def seal(source: IO[bytes], target: Path, key: x25519.Identity) -> None:
    """Seal a stream into a file that appears whole or not at all."""
    with replacing(target) as new, new.open("wb") as file:
        pyrage.encrypt_io(source, file, [key.to_public()])


def seal_packed(content: bytes, target: Path, key: x25519.Identity) -> None:
    """Pack and seal a piece of the log."""
    with replacing(target) as new:
        new.write_bytes(pyrage.encrypt(gzip.compress(content, 1), [key.to_public()]))


def unseal(source: Path, target: Path, key: x25519.Identity) -> None:
    """Open a file.

    Raises:
        BackupError: it was sealed for another key, or is not what was written.
    """
    try:
        with source.open("rb") as sealed, target.open("wb") as file:
            pyrage.decrypt_io(sealed, file, [key])
    except pyrage.DecryptError as error:
        raise _refused(source, error) from None


def unseal_packed(source: Path, key: x25519.Identity) -> bytes:
    """Open and unpack a piece of the log.

    Raises:
        BackupError: as ``unseal``.
    """
    try:
        return gzip.decompress(pyrage.decrypt(source.read_bytes(), [key]))
    except (pyrage.DecryptError, gzip.BadGzipFile, EOFError) as error:
        raise _refused(source, error) from None


def _refused(source: Path, error: Exception) -> BackupError:
    if "No matching keys" in str(error):
        return BackupError(f"Esta chave não abre {source.name}: foi fechado com outra. Use a chave guardada na época.")
    return BackupError(f"{source} está estragado ({error}).")
