"""The list of parts: what is started, in which order, and how each shows that it is ready."""

from __future__ import annotations

import sys
from collections.abc import Callable

from council_local.child import Program
from council_local.folders import CHECKOUT
from council_local.kafka import Kafka
from council_local.part import Part, answers_http
from council_local.ports import is_listening
from council_local.postgres import Postgres
from council_local.surroundings import Surroundings


def postgres_part(around: Surroundings) -> Postgres:
    folders = around.folders
    return Postgres(
        folders.postgres,
        around.ports.postgres,
        password_file=folders.postgres_password,
        log=folders.log("postgres"),
        record=folders.pid("postgres"),
    )


def kafka_part(around: Surroundings, *, progress: Callable[[str], None]) -> Kafka:
    folders, ports = around.folders, around.ports
    return Kafka(
        folders.kafka,
        port=ports.kafka,
        controller_port=ports.kafka_controller,
        log=folders.log("kafka"),
        record=folders.pid("kafka"),
        users=around.kafka_users,
        progress=progress,
    )


def issuer_part(around: Surroundings) -> Part:
    arguments = ["issuer", "--keys", str(around.folders.keys), "--port", str(around.ports.issuer)]
    ready_path = "/.well-known/openid-configuration"
    return Part(_ours(around, "issuer", arguments), ready=lambda: answers_http(around.ports.issuer, ready_path))


def mail_part(around: Surroundings) -> Part:
    folders, ports = around.folders, around.ports
    files = ["--folder", str(folders.mail), "--secret", str(folders.mail_secret)]
    where = [*files, "--smtp", str(ports.smtp), "--page", str(ports.mail_page)]

    def ready() -> bool:
        return is_listening(ports.smtp) and answers_http(ports.mail_page, "/health/live")

    return Part(_ours(around, "mail-sink", ["mail-sink", *where]), ready=ready)


def service_part(around: Surroundings, service: str) -> Part:
    """One of the five: brings its tables up to date, then runs API and worker in one process."""
    program = Program(
        name=service,
        command=[sys.executable, "-m", "council_local.run_service", service],
        log=around.folders.log(service),
        record=around.folders.pid(service),
        environment=around.of_service(service),
        folder=CHECKOUT,
    )
    port = around.service_port(service)
    return Part(program, ready=lambda: answers_http(port, "/health/ready"))


def _ours(around: Surroundings, name: str, arguments: list[str]) -> Program:
    return Program(
        name=name,
        command=[sys.executable, "-m", "council_local", *arguments],
        log=around.folders.log(name),
        record=around.folders.pid(name),
    )
