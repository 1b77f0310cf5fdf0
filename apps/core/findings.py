"""What a look at a shop has found: a line each, with its cure (``doctor``, ``mp_doctor``)."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a line begins."""

    OK = "ok"
    LOOK = "atenção"
    BAD = "erro"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line; ``cure`` is empty when there is nothing to do."""

    id: str
    level: Level
    text: str
    cure: str = ""
