"""`.env.example` names every variable the code reads, with the default it really has, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
READERS = {"str", "int", "bool", "list", "float"}
# What is not read through `env`: by ./run, the front door and the metrics.
OTHER_SOURCES = ("breadmate/up/plan.py", "breadmate/door.py", "breadmate/gauges.py")
GIVEN = re.compile(r'(?:given\.get\(|given\[|\(given, |os\.environ\.get\()\s*"([A-Z][A-Z0-9_]+)"')


def example() -> dict[str, str]:
    told, meaning = {}, ""
    for line in (PROJECT / ".env.example").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            assert meaning, f"{name} has no line that says what it is"
            assert name not in told
            told[name] = value
            meaning = ""
        else:
            meaning = line.removeprefix("#").strip()
    return told


def calls() -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse((PROJECT / "breadmate/settings.py").read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in READERS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "env"
        ):
            yield node


def read_by_settings() -> set[str]:
    return {str(ast.literal_eval(call.args[0])) for call in calls()}


def read_elsewhere() -> set[str]:
    texts = [(PROJECT / source).read_text() for source in OTHER_SOURCES]
    tls = {name for text in texts for name in re.findall(r'"(TLS_[A-Z]+)"', text)}  # read by name in a loop
    return tls | {name for text in texts for name in GIVEN.findall(text)}


def test_both_ways() -> None:
    assert set(example()) == read_by_settings() | read_elsewhere()


def test_defaults_are_the_real_ones() -> None:
    told, compared = example(), 0
    for call in calls():
        name = str(ast.literal_eval(call.args[0]))
        default = call.args[1] if len(call.args) > 1 else None
        if not isinstance(default, ast.Constant):
            continue  # made from other settings: the comment says how
        real = int(default.value) if isinstance(default.value, bool) else default.value
        assert told[name] == str(real), name
        compared += 1
    assert compared > 20


def test_nothing_else_in_the_code_reads_the_environment() -> None:
    """A new `os.environ` in an app would escape the two tests above."""
    reading = [
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "apps").rglob("*.py")
        if re.search(r"os\.environ|os\.getenv|environ\.Env", path.read_text())
    ]
    assert reading == []
