"""The broker's jars: fetched once by their Maven coordinates, trusted only by their SHA-256 sums.

The lock file is the whole truth, so that no POM is read and nothing is resolved on a council's machine:
a jar with another sum than the committed one is never run.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from council_local.surroundings import environment_with_file

LOCK_FILE = Path(__file__).with_name("kafka.lock")
# slf4j-simple rather than log4j's binding: that one's BOM drags kafka-clients down to 3.9.1.
COORDINATES = "org.apache.kafka:kafka_2.13:4.3.1+org.slf4j:slf4j-simple:1.7.36"
LOCK_HEADER = """\
# The jars of the Kafka broker: Maven coordinates and the SHA-256 of each file.
# Written by `python -m council_local lock-kafka` from the two coordinates in jars.py; never edited by hand.
"""
DOWNLOADS_AT_ONCE = 8


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
    """The verified jars as Java wants them named; downloads what is missing."""
    jars = locked_jars()
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        paths = list(pool.map(lambda jar: verified(jar, progress), jars))
    return os.pathsep.join(str(path) for path in paths)


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


def verified(jar: LockedJar, progress: Callable[[str], None] = lambda _: None) -> Path:
    """The jar itself, from the cache, Maven's folder or the network, with the locked sum or not at all."""
    from jgo.constants import default_maven_repo

    cache = cache_folder()
    for repository in (cache, default_maven_repo()):
        path = repository / jar.path
        if sum_of(path) == jar.sha256:
            return path
    progress(f"{jar.artifact} {jar.version}")
    return _download(jar, cache)


def _download(jar: LockedJar, cache: Path) -> Path:
    """Fetch into a folder of its own and move into place: neither a race nor a cut line leaves half a jar."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    # A council's own mirror stands in jgo's settings file, as [repositories]; it is asked first.
    repositories = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        context = MavenContext(repo_cache=Path(folder), remote_repos=repositories)
        fetched = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        found = sum_of(fetched)
        if found != jar.sha256:
            raise UntrustedJarError(f"{jar.path.name}: expected SHA-256 {jar.sha256}, got {found}; it was not kept")
        target = cache / jar.path
        target.parent.mkdir(parents=True, exist_ok=True)
        fetched.replace(target)
    return target


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
