"""On what a rush was run: the machine, and the processor time and memory of each process of the stack, from ``/proc``."""

import os
import platform
import re
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True, slots=True)
class Use:
    """What a process and its children have used until now; memory is their own, without what they share."""

    cpu_s: float
    memory_mb: float


def use_of(pids: Mapping[str, int]) -> dict[str, Use]:
    """Look at each process; Postgres and gunicorn with all they have started."""
    return {name: _use(pid) for name, pid in pids.items() if name != "supervisor"}


def own_cpu_s() -> float:
    """Return the processor time of this very process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def described() -> str:
    """Say on what this runs, in one line."""
    try:
        model = re.search(r"model name\s*:\s*(.+)", (PROC / "cpuinfo").read_text())
    except OSError:
        model = None
    cpu = model[1] if model else platform.machine()
    return f"{os.cpu_count()} × {cpu}, Python {platform.python_version()}, {platform.system()} {platform.release()}"


def _use(pid: int) -> Use:
    cpu, memory = 0.0, 0.0
    for each in [pid, *_children(pid)]:
        try:
            told = (PROC / str(each) / "stat").read_text().rpartition(")")[2].split()
            # With children that have ended: Postgres starts a process for each connection.
            cpu += sum(map(int, told[11:15])) / TICK
            resident, shared = map(int, (PROC / str(each) / "statm").read_text().split()[1:3])
            memory += (resident - shared) * PAGE_MB
        except (OSError, IndexError, ValueError):
            continue
    return Use(cpu, memory)


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in (PROC / str(pid) / "task" / str(pid) / "children").read_text().split()]
    except OSError:
        return []
