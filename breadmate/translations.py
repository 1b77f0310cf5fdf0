"""Compiles the project's translations, which are kept as text: no tool beside Python is needed, and no step to forget."""

import logging
import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

logger = logging.getLogger(__name__)


def compile_new(folder: Path) -> int:
    """Compile the catalogs below a folder that are newer than what was compiled of them; return how many.

    Where nothing may be written, what an image's build compiled stays.
    """
    done = 0
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        unfinished = compiled.with_suffix(f".{os.getpid()}.part")
        try:
            with source.open("rb") as text, unfinished.open("wb") as file:
                write_mo(file, read_po(text, locale=source.parts[-3]))
            unfinished.replace(compiled)
        except OSError as problem:
            logger.warning("%s was not compiled: %s", source.name, problem)
            continue
        done += 1
    return done
