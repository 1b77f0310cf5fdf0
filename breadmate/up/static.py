"""Decides whether ``collectstatic`` has anything to do: it takes seconds, and mostly nothing changed."""

import hashlib
from pathlib import Path

from breadmate.up.plan import PROJECT, Plan

# Where our own static files are; those of packages change only with the lock file.
SOURCES = ("static", "apps/*/static", "breadmate/static", "apps/*/*/static")
DECIDING = ("requirements.txt", "breadmate/settings.py", "breadmate/static.py")


def fingerprint() -> str:
    """Hash everything the collected files are made from."""
    digest = hashlib.sha256()
    files = [PROJECT / name for name in DECIDING]
    for pattern in SOURCES:
        for folder in sorted(PROJECT.glob(pattern)):
            files += sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(PROJECT)}\0{content}\n".encode())
    return digest.hexdigest()


def stamp(plan: Plan) -> Path:
    """Say where the fingerprint of what was collected last is kept."""
    return plan.static_root.with_name(plan.static_root.name + ".stamp")


def is_current(plan: Plan, wanted: str) -> bool:
    """Tell whether the collected files are those of ``wanted``."""
    try:
        return stamp(plan).read_text() == wanted and (plan.static_root / "staticfiles.json").is_file()
    except FileNotFoundError:
        return False
