"""Services and facades say what their signature cannot: which refusals, which locks, which events."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

APPS = Path(__file__).resolve().parents[2] / "apps"
WRITERS = ("services.py", "checkout.py", "cancel.py", "refunds.py", "inbox.py", "closing.py")
SERVICE_FILES = sorted(file for name in WRITERS for file in APPS.glob(f"*/{name}"))
WRITES = {"transaction.atomic"}


def public_functions(file: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def functions_in(file: Path) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}


def raised(file: Path, name: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return the errors of ours that a function of this file can raise itself or through its own helpers."""
    functions = functions_in(file)
    errors = set()
    for node in ast.walk(functions[name]):
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            error_name = ast.unparse(error).split(".")[-1]
            if error_name.endswith("Error") and error_name != "RivalWonError":
                errors.add(error_name)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions.keys() - seen:
            errors |= raised(file, node.func.id, seen | {name})
    return errors


def is_atomic(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) in WRITES for decorator in function.decorator_list)


SERVICES = [(file, function.name) for file in SERVICE_FILES for function in public_functions(file)]


@pytest.mark.parametrize(("file", "name"), SERVICES, ids=[f"{f.parent.name}.{n}" for f, n in SERVICES])
def test_service_says_what_it_refuses_and_locks(file: Path, name: str) -> None:
    function = functions_in(file)[name]
    text = ast.get_docstring(function) or ""
    caught = {
        error
        for handler in ast.walk(function)
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None
        for error in re.findall(r"\w+Error", ast.unparse(handler.type))
    }
    unsaid = {error for error in raised(file, name) - caught if error not in text}
    assert text, "no docstring"
    assert not unsaid, f"Raises lacks {sorted(unsaid)}"
    assert not is_atomic(function) or "Locks:" in text, "it writes and does not say which locks it takes"


def test_services_take_keywords_only() -> None:
    positional = [
        f"{file.parent.name}.{function.name}"
        for file in SERVICE_FILES
        for function in public_functions(file)
        if is_atomic(function) and function.args.args
    ]
    assert positional == []


def test_everything_a_facade_offers_is_described() -> None:
    undescribed = []
    for facade in sorted(APPS.glob("*/facade.py")):
        tree = ast.parse(facade.read_text())
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module:
                source = APPS.parent / Path(*node.module.split("."))
                file = source.with_suffix(".py") if source.with_suffix(".py").exists() else source / "__init__.py"
                known = {
                    inner.name: ast.get_docstring(inner)
                    for inner in ast.parse(file.read_text()).body
                    if isinstance(inner, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))
                }
                undescribed += [
                    f"{facade.parent.name}: {alias.name}"
                    for alias in node.names
                    if alias.name in known and not known[alias.name]
                ]
    assert undescribed == []
