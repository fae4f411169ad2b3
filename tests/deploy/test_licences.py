"""Our own licence is there, and the page of third-party licences names all that is fetched."""

import importlib.util
import re

import pytest
from council_local.jars import locked_jars


@pytest.fixture
def licences(root):
    spec = importlib.util.spec_from_file_location("licences", root / "docs" / "licences" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_project_is_under_the_mit_licence(root):
    text = (root / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License\n")
    assert "(LICENSE)" in (root / "README.md").read_text(encoding="utf-8")


def test_the_page_of_third_party_licences_is_complete_and_fresh(licences, root):
    text = (root / "docs" / "licences" / "third-party.md").read_text(encoding="utf-8")
    assert text == licences.page(), "run: .venv/bin/python docs/licences/generate.py"
    named = {(name, version) for name, version in re.findall(r"^\| (\S+) \| (\S+) \|", text, re.MULTILINE)}
    for lock in ("requirements-run.lock", "requirements-service.lock", "requirements.lock"):
        assert set(licences.locked(lock).items()) <= named
    assert {(f"{jar.group}:{jar.artifact}", jar.version) for jar in locked_jars()} <= named
    assert {tuple(image.split(":")) for image in licences.images()} <= named


def test_a_package_without_a_known_licence_is_refused(licences):
    with pytest.raises(licences.LicenceUnknownError, match="name its licence"):
        licences.licence_of("not-installed-anywhere")
