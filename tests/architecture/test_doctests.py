"""Every figure in a docstring is true."""

import doctest
import importlib
import pkgutil

import pytest

PACKAGES = (
    "council_common", "council_bacs", "council_gateway", "council_local", "demo", "supplier_service", "invoice_service",
    "rebate_service", "debt_service", "notification_service",
)  # fmt: skip


def modules(package: str) -> list[str]:
    """Every module of a package but its `__main__` and its migrations (alembic's own to import)."""
    path = importlib.import_module(package).__path__
    found = (module.name for module in pkgutil.walk_packages(path, f"{package}."))
    return [package, *(name for name in found if not name.endswith("__main__") and ".versions" not in name)]


@pytest.mark.parametrize("package", PACKAGES)
def test_examples_in_docstrings_hold(package: str) -> None:
    results = {name: doctest.testmod(importlib.import_module(name)) for name in modules(package)}
    assert {name: result.failed for name, result in results.items() if result.failed} == {}
    assert sum(result.attempted for result in results.values()) > 0
