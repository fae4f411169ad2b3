"""The broker's jars: fetched once by their Maven coordinates, trusted only by their SHA-256 sums.

The lock file is the whole truth, so that no POM is read and nothing is resolved on a council's machine:
a jar with another sum than the committed one is never run.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from threading import Lock

from council_local.environment import environment_with_file

LOCK_FILE = Path(__file__).with_name("kafka.lock")
# slf4j-simple rather than log4j's binding: that one's BOM drags kafka-clients down to 3.9.1.
COORDINATES = "org.apache.kafka:kafka_2.13:4.3.1+org.slf4j:slf4j-simple:1.7.36"
LOCK_HEADER = """\
# The jars of the Kafka broker: Maven coordinates and the SHA-256 of each file.
# Written by `python -m council_local lock-kafka` from the two coordinates in jars.py; never edited by hand.
"""
DOWNLOADS_AT_ONCE = 8
DOWNLOAD_MB = 44
TIMEOUT_SECONDS = 60.0


class JarsMissingError(RuntimeError):
    """A jar is neither here nor to be had."""


class UntrustedJarError(RuntimeError):
    """A downloaded jar is not the one that was locked."""


@dataclass(frozen=True)
class LockedJar:
    """One line of the lock file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where Maven's layout keeps it, relative to a repository."""
        folder = Path(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}.jar"


def locked_jars(lock_file: Path = LOCK_FILE) -> list[LockedJar]:
    """The lock file's lines.

    >>> {jar.version for jar in locked_jars() if jar.group == "org.apache.kafka"}
    {'4.3.1'}
    """
    lines = [line for line in lock_file.read_text().splitlines() if line and not line.startswith("#")]
    return [LockedJar(*line.replace(" ", ":").split(":")) for line in lines]


def class_path(*, progress: Callable[[str], None] = lambda _: None) -> str:
    """The verified jars as Java wants them named; downloads what is missing and says how far it has come.

    Raises UntrustedJarError for a jar with another sum, JarsMissingError when no repository has it.
    """
    jars = locked_jars()
    received = Received(progress)
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        paths = list(pool.map(lambda jar: verified(jar, received), jars))
    return os.pathsep.join(str(path) for path in paths)


class Received:
    """How much of the broker has been downloaded so far, by all threads together."""

    def __init__(self, progress: Callable[[str], None] = lambda _: None) -> None:
        self._progress = progress
        self._bytes = 0
        self._lock = Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self._bytes += count
            self._progress(f"downloads Apache Kafka, once: {self._bytes / 1e6:.0f} of about {DOWNLOAD_MB} MB")


def cache_folder() -> Path:
    """Shared by every checkout of this user; COUNCIL_CACHE (in `.env` too) or XDG_CACHE_HOME move it."""
    named = environment_with_file().get("COUNCIL_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    home = Path(base).expanduser() if base else Path.home() / ".cache"
    if not _can_write(home):
        # A user without a home folder of its own, as in many containers.
        home = Path(tempfile.gettempdir()) / f"cache-{os.getuid()}"
    return home / "council-payments" / "jars"


def verified(jar: LockedJar, received: Received | None = None) -> Path:
    """The jar itself, from the cache, Maven's folder or the network, with the locked sum or not at all."""
    cache = cache_folder()
    for folder in (cache, maven_folder()):
        path = folder / jar.path
        if sum_of(path) == jar.sha256:
            return path
    return _download(jar, cache, received or Received())


def maven_folder() -> Path:
    """Where Maven and jgo keep what they fetched; M2_REPO moves it."""
    named = os.environ.get("M2_REPO")
    return Path(named) if named else Path.home() / ".m2" / "repository"


def _download(jar: LockedJar, cache: Path, received: Received) -> Path:
    """Fetch into a folder of its own and move into place: neither a race nor a cut line leaves half a jar."""
    target = cache / jar.path
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        part = Path(folder, target.name)
        for repository in repositories():
            url = f"{repository.rstrip('/')}/{jar.path.as_posix()}"
            try:
                found = _fetch(url, part, received)
            except (OSError, HTTPException) as error:
                failures.append(f"{url}: {error}")
                continue
            if found != jar.sha256:
                raise UntrustedJarError(f"{target.name}: expected SHA-256 {jar.sha256}, got {found}; it was not kept")
            return part.replace(target)
    raise JarsMissingError("A jar of Apache Kafka could not be fetched. " + "; ".join(failures))


def repositories() -> list[str]:
    """Where jars are fetched from: a council's own mirrors, in jgo's settings file as [repositories], then the rest."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL

    return [*GlobalSettings.load().repositories.values(), MAVEN_CENTRAL_URL]


def _fetch(url: str, part: Path, received: Received) -> str:
    """Write what a URL holds to a file and return its SHA-256; the system's certificates and proxies are used."""
    digest = hashlib.sha256()
    # Any scheme a council's mirror may have: whatever comes is believed by its sum only.
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer, part.open("wb") as file:  # noqa: S310
        while chunk := answer.read(256 * 1024):
            file.write(chunk)
            digest.update(chunk)
            received.add(len(chunk))
    return digest.hexdigest()


def sum_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def write_lock(lock_file: Path = LOCK_FILE) -> int:
    """Resolve the two coordinates anew and write the lock: the one moment in which POMs are believed."""
    import jgo

    lines = []
    for artifact in jgo.resolve(COORDINATES):
        path = artifact.resolve()
        lines.append(f"{artifact.groupId}:{artifact.artifactId}:{artifact.version} {sum_of(path)}")
    lock_file.write_text(LOCK_HEADER + "\n".join(sorted(set(lines))) + "\n")
    return len(lines)
