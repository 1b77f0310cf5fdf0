"""Ties a child's life to its parent's, and finds what outlived one."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
# In the environment of every child; its value is the RUN_DIR of the stack the child belongs to.
MARKER = "BREADMATE_CHILD_OF"

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def on_parent_death(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Make a ``preexec_fn`` that has the kernel signal the child when its parent dies, even by SIGKILL.

    The kernel watches the *thread* that started the child: call ``Popen`` from a thread that lives as long as the
    parent. Elsewhere than on Linux there is no such thing and the answer is None.
    """
    libc, parent = _libc, os.getpid()
    if libc is None:
        return None

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return tie


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not PROC.is_dir()
    except OSError:
        return True


def survivors(run_dir: Path, data_dir: Path) -> dict[int, str]:
    """Find the processes of the stack of ``run_dir`` by their environment, as pid → command line.

    Postgres writes its titles over the environment of its children: those are known by their working directory, which
    is ``data_dir``. Without ``/proc`` nothing is found.
    """
    wanted = f"{MARKER}={run_dir}".encode()
    found: dict[int, str] = {}
    if not PROC.is_dir():
        return found
    for entry in PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            ours = wanted in (entry / "environ").read_bytes().split(b"\0") or (entry / "cwd").readlink() == data_dir
            if ours and is_alive(int(entry.name)):
                found[int(entry.name)] = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                )
        except OSError:  # gone meanwhile, or another user's
            continue
    return found


def wait_until_gone(find: Callable[[], dict[int, str]], *, seconds: float) -> dict[int, str]:
    """Wait for ``find`` to come back empty; return what is still there after ``seconds``."""
    end = time.monotonic() + seconds
    while (left := find()) and time.monotonic() < end:
        time.sleep(0.1)
    return left
