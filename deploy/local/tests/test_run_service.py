"""On one machine a service loads what its image has, and not what the supervisor beside it needs."""

import os
import re
import subprocess
import sys
from pathlib import Path

from council_local.folders import CHECKOUT
from council_local.run_service import NOT_IN_THE_IMAGE

ASKS = """
import importlib, sys
found = []
for name in {names!r}:
    try:
        importlib.import_module(name)
        found.append(name)
    except ImportError:
        pass
print(found, sys.argv[1:], __name__)
"""


def test_a_service_cannot_import_what_its_image_has_not(tmp_path: Path) -> None:
    package = tmp_path / "debt_service"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(ASKS.format(names=NOT_IN_THE_IMAGE))
    command = [sys.executable, "-m", "council_local.run_service", "debt"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[] ['serve'] __main__\n"


def test_the_image_really_has_none_of_it() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (CHECKOUT / "requirements-service.lock").read_text(), re.MULTILINE))
    assert not locked & set(NOT_IN_THE_IMAGE)
