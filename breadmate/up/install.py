"""Makes `.venv` and puts into it exactly what the lock files say; does nothing, quickly, when that is done already.

``./run`` and ``./test`` call this file by its path with whatever Python 3.11 the machine has, so it imports nothing of
the project. It can be interrupted at any point and run again: the stamp that says "done" is written last.
"""

import argparse
import ctypes
import fcntl
import hashlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, cast

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
RUN_LOCKS = ("requirements.txt", "requirements-embedded.txt")
LOCKS = {"run": RUN_LOCKS, "test": (*RUN_LOCKS, "requirements-dev.txt")}
OLDEST = (3, 11)
LINE_EVERY_SECONDS = 2.0
SILENCE_SECONDS = 3.0
TAIL_LINES = 25
WIDTH = 110
# Tests drive a real browser; Debian's has no PyPI package.
BROWSER = Path("/usr/bin/chromium")
DRIVER_NEEDS = "libatomic1"


class SetUpError(Exception):
    """The set-up cannot go on; the message says what to type."""


def main() -> int:
    """Set up for ``run`` or ``test``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=sorted(LOCKS))
    parser.add_argument(
        "--browser", action="store_true", help="see that there is a browser, too; exit code 3 if there is not"
    )
    options = parser.parse_args()
    end_with_parent()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    try:
        if not is_done(options.purpose):
            with only_one():
                if not is_done(options.purpose):
                    set_up(options.purpose)
        return 0 if not options.browser or find_browser() else 3
    except SetUpError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the next start goes on from here\n")
        return 130


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def version_of(python: Path) -> str | None:
    """Ask an interpreter for its version; None if it does not run (its base was removed, or it was never finished)."""
    try:
        asked = subprocess.run(
            [python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def fingerprint(purpose: str, python_version: str) -> str:
    """Hash what the content of ``.venv`` depends on."""
    digest = hashlib.sha256(python_version.encode())
    for name in LOCKS[purpose]:
        digest.update(b"\0" + (PROJECT / name).read_bytes())
    return digest.hexdigest()


def stamp(purpose: str) -> Path:
    """Say where the fingerprint of what is installed is kept."""
    return VENV / f".installed-for-{purpose}"


def is_done(purpose: str) -> bool:
    """Tell whether ``.venv`` is what the lock files say, from its stamp alone."""
    try:
        installed = stamp(purpose).read_text()
    except OSError:
        return False
    version = version_of(PYTHON)
    return version is not None and installed == fingerprint(purpose, version)


def set_up(purpose: str) -> None:
    """Make ``.venv`` if it is missing or broken, and install."""
    begun = time.monotonic()
    if version_of(PYTHON) is None or version_of_pip() is None:
        make_venv()
    version = version_of(PYTHON)
    if version is None:
        raise SetUpError(f"{PYTHON} does not run: remove {VENV} and start again.")
    say(f"Installing Python packages into .venv (for ./{purpose}; only when the lock files change) …")
    for path in VENV.glob(".installed-for-*"):
        path.unlink()
    words = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-cache-dir", "--disable-pip-version-check"]
    words += ["--no-input", "--no-deps", "--progress-bar", "off"]
    for name in LOCKS[purpose]:
        words += ["-r", name]
    run(words, "installing", {"PYTHONUNBUFFERED": "1", "HOME": os.environ.get("HOME") or str(VENV)})
    for done, names in LOCKS.items():
        if set(names) <= set(LOCKS[purpose]):
            stamp(done).write_text(fingerprint(done, version))
    say(f"Packages are installed ({time.monotonic() - begun:.0f} s).")


def make_venv() -> None:
    """Make ``.venv`` with the Python that runs this file; on Debian as root, first install what it takes."""
    if find_spec("ensurepip") is None or find_spec("venv") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        if sys.executable in {"/usr/bin/python3", "/usr/local/bin/python3"}:
            package = "python3-venv"
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise SetUpError(f"This Python cannot make virtual environments. Type:  sudo apt-get install -y {package}")
        install_debian(package)
    say(f"Making .venv with Python {sys.version.split()[0]} …")
    if VENV.is_symlink():
        VENV.unlink()
    shutil.rmtree(VENV, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(VENV)], "making .venv", {})


def version_of_pip() -> str | None:
    """Ask the pip of ``.venv`` for its version; None when an interrupted set-up left none."""
    asked = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else None


def find_browser() -> bool:
    """Tell whether tests can drive a browser, installing what Debian has for that where we may."""
    if has_browser() and driver_runs():
        return True
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    try:
        with only_one():
            if not has_browser():
                install_debian(BROWSER.name)
            if not driver_runs():
                install_debian(DRIVER_NEEDS)
    except SetUpError as error:
        say(str(error))
    return has_browser() and driver_runs()


def has_browser() -> bool:
    """Tell whether there is a browser."""
    return os.access(BROWSER, os.X_OK)


def driver_runs() -> bool:
    """Tell whether the program that drives it starts; it comes with a package but needs a library of the system."""
    for driver in VENV.glob("lib/python*/site-packages/playwright/driver/node"):
        return subprocess.run([driver, "--version"], capture_output=True, check=False).returncode == 0
    return False


def install_debian(package: str) -> None:
    """Install one package of the system, waiting for others who do so and mending what they left half done."""
    say(f"Installing {package} with apt-get …")
    environ = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    patient = ["-q", "-y", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3"]
    run(["dpkg", "--configure", "-a"], "mending dpkg", environ)
    run(["apt-get", *patient, "update"], "apt-get update", environ)
    run(["apt-get", *patient, "install", "--no-install-recommends", package], f"installing {package}", environ)


@contextmanager
def only_one() -> Iterator[None]:
    """Let one set-up of this folder work at a time; others wait and say so."""
    folder = PROJECT / ".run"
    try:
        folder.mkdir(mode=0o711, exist_ok=True)
        lock = (folder / "setup.lock").open("a+")
    except PermissionError as error:
        raise SetUpError(f"{error.filename} cannot be written: it belongs to another user.") from None
    with lock:
        told = 0.0
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() - told > SILENCE_SECONDS:
                    told = time.monotonic()
                    say("  … another set-up is at work here, waiting for it")
                time.sleep(0.2)
        yield


def run(words: list[str], doing: str, environ: Mapping[str, str]) -> None:
    """Run a program, telling every few seconds what it is at; its whole output is in `.run/setup.log`.

    Raises:
        SetUpError: it failed; the last lines it wrote are printed before.
    """
    begun = last = time.monotonic()
    lines = [""]
    with (PROJECT / ".run" / "setup.log").open("ab", buffering=0) as log:
        log.write(f"\n$ {' '.join(words)}\n".encode())
        program = subprocess.Popen(
            words,
            cwd=PROJECT,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - there is one thread
        )
        output = cast(IO[bytes], program.stdout)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(output, selectors.EVENT_READ)
                while True:
                    heard = bool(selector.select(SILENCE_SECONDS))
                    chunk = output.read(65536) if heard else b"\n"
                    if not chunk:
                        break
                    if heard:
                        log.write(chunk)
                        *whole, rest = (lines.pop() + chunk.decode(errors="replace")).split("\n")
                        lines = [*lines[-TAIL_LINES:], *whole, rest]
                    if time.monotonic() - last >= LINE_EVERY_SECONDS:
                        last = time.monotonic()
                        latest = next(
                            (line.strip() for line in reversed(lines[:-1]) if line.strip() and "WARNING" not in line),
                            doing,
                        )
                        say(f"  {last - begun:4.0f} s  {latest[:WIDTH]}")
        finally:
            if program.poll() is None and sys.exc_info()[0] is not None:
                program.terminate()
            code = program.wait()
    if code:
        sys.stderr.write("\n".join(lines[-TAIL_LINES:]) + "\n")
        raise SetUpError(f"{doing} failed (exit code {code}); all it said is in .run/setup.log.")


def end_with_parent() -> None:
    """Have the kernel end this process with its parent, so that an interrupted set-up leaves nothing at work."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGTERM))


if __name__ == "__main__":
    sys.exit(main())
