import subprocess
import sys
from pathlib import Path

GENERATE = Path(__file__).parents[2] / "docs" / "contracts" / "generate.py"


def test_committed_documents_are_those_of_the_code() -> None:
    checked = subprocess.run([sys.executable, str(GENERATE), "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
