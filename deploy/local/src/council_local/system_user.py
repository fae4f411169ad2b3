"""PostgreSQL refuses to run as root: the user it runs as instead, and how that user gets to its files."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path
from typing import Any

USER = "pgserver"


def unprivileged_user() -> str | None:
    """None when we are not root; else a system user of its own, made when missing."""
    if os.geteuid() != 0:
        return None
    if _exists(USER):
        return USER
    try:
        subprocess.run(["useradd", "--system", "--no-create-home", USER], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "nobody"
    return USER


def run_as(user: str | None) -> dict[str, Any]:
    """The arguments that make `subprocess` run a program wholly as `user`, with none of our groups left."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def open_way_for(user: str, folder: Path, *, probe: Path) -> None:
    """Let `user` pass through the folders above `folder` and run the program `probe`.

    Passing through is all that is given, no listing, and only where it is missing: a checkout may lie
    in root's home.
    """
    _let_pass(folder.resolve())
    _let_pass(probe.resolve().parent)
    if not _can_run(user, probe):
        # Installed under a strict umask: the wheel's own files, nothing else, become readable.
        for part in ("bin", "lib", "share"):
            _let_read(probe.resolve().parents[1] / part)


def _let_pass(folder: Path) -> None:
    for one in (folder, *folder.parents):
        mode = one.stat().st_mode
        if not mode & stat.S_IXOTH:
            one.chmod(mode | stat.S_IXOTH)


def _let_read(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            runnable = stat.S_IXOTH if path.is_dir() or mode & stat.S_IXUSR else 0
            path.chmod(mode | stat.S_IROTH | runnable)


def _can_run(user: str, probe: Path) -> bool:
    command = [str(probe), "--version"]
    try:
        return subprocess.run(command, **run_as(user), cwd="/", capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
