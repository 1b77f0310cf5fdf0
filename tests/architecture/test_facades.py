"""An app uses of a lower app only its facade. The order itself is import-linter's (pyproject.toml)."""

import grimp
import pytest

PUBLIC = {"facade"}
PLAIN = {"contracts"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("apps", cache_dir=None)


def app_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def beyond_facade(graph: grimp.ImportGraph) -> list[str]:
    found = []
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            other = app_of(imported)
            inside = imported.split(".")[2:3]
            crosses = other and other not in PLAIN and app_of(importer) != other
            if crosses and ".migrations." not in importer and set(inside) != PUBLIC:
                found.append(f"{importer} imports {imported}")
    return found


def test_apps_use_only_each_others_facades(graph: grimp.ImportGraph) -> None:
    assert beyond_facade(graph) == []


def test_the_check_sees_an_import_past_a_facade(graph: grimp.ImportGraph) -> None:
    graph.add_import(importer="apps.payments.services", imported="apps.orders.models")
    try:
        assert beyond_facade(graph) == ["apps.payments.services imports apps.orders.models"]
    finally:
        graph.remove_import(importer="apps.payments.services", imported="apps.orders.models")
