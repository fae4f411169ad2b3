"""The whole platform on one machine: `python -m council_local run`, and what goes with it.

Each command loads what it needs: the issuer and the mail sink run as long as the platform and stay small.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from council_local.folders import Folders
from council_local.ports import Ports


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    command: str = options.command
    if command == "issuer":
        from council_local.issuer import serve_issuer

        serve_issuer(options.keys, options.port)
        return 0
    if command == "mail-sink":
        from council_local.mail_sink import serve_mail_sink

        serve_mail_sink(options.folder, secret_file=options.secret, smtp_port=options.smtp, page_port=options.page)
        return 0
    if command == "lock-kafka":
        from council_local.jars import write_lock

        print(f"{write_lock()} jars locked")
        return 0
    return _with_platform(command, options)


def _with_platform(command: str, options: argparse.Namespace) -> int:
    """A command about the platform that the environment names."""
    from council_local.environment import environment_with_file

    environment = environment_with_file()
    try:
        folders, ports = Folders.from_environment(environment), Ports.from_environment(environment)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if command == "run":
        return asyncio.run(_run(folders, ports))
    if command == "token":
        return _token(options, folders, ports)
    return _look_after(command, folders, ports)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m council_local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start everything and keep it running until Ctrl-C")
    commands.add_parser("stop", help="end the running platform")
    commands.add_parser("status", help="what runs")
    commands.add_parser("clean", help="delete the platform's data")
    token = commands.add_parser("token", help="print a bearer token")
    token.add_argument("--role", required=True, help="a role, or several with blanks or commas between")
    token.add_argument("--name", help="who it is, for example a.jones; by default the roles' names")
    token.add_argument("--hours", type=float, default=8)
    issuer = commands.add_parser("issuer", help="the identity provider alone")
    issuer.add_argument("--keys", type=Path, required=True)
    issuer.add_argument("--port", type=int, required=True)
    mail = commands.add_parser("mail-sink", help="the mail sink alone")
    mail.add_argument("--folder", type=Path, required=True)
    mail.add_argument("--secret", type=Path, required=True, help="the file with what SMTP clients and readers show")
    mail.add_argument("--smtp", type=int, required=True)
    mail.add_argument("--page", type=int, required=True)
    commands.add_parser("lock-kafka", help="resolve the broker's jars anew and write their lock file")
    return parser


async def _run(folders: Folders, ports: Ports) -> int:
    from rich.console import Console

    from council_local.display import StartDisplay, say_where
    from council_local.platform import Platform

    console, asked_to_end = Console(), asyncio.Event()
    with StartDisplay(console) as display:
        platform = Platform(folders, ports, report=display.report)
        starting = asyncio.create_task(platform.start())

        def end() -> None:
            asked_to_end.set()
            starting.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, end)
        try:
            await starting
        except asyncio.CancelledError:
            return 130
        except (RuntimeError, OSError) as error:
            console.print(f"\n{error}", style="red", markup=False, highlight=False)
            return 1
    say_where(console, platform)
    await asked_to_end.wait()
    console.print("Ending everything, the gateway first and the database last …")
    await platform.stop()
    return 0


def _token(options: argparse.Namespace, folders: Folders, ports: Ports) -> int:
    from council_local.ports import issuer_url
    from council_local.tokens import Tokens, UnknownRoleError

    tokens = Tokens.of(folders.keys, issuer_url(ports.issuer))
    try:
        print(tokens.for_person(options.role, name=options.name, hours=options.hours))
    except UnknownRoleError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _look_after(command: str, folders: Folders, ports: Ports) -> int:
    from rich.console import Console

    from council_local.claim import SupervisorStaysError, end_leftovers, stop_supervisor
    from council_local.status import clean, print_status

    if command == "status":
        return 0 if print_status(folders, ports, Console()) else 3
    if command == "stop":
        try:
            was_running = stop_supervisor(folders)
        except SupervisorStaysError as error:
            print(error, file=sys.stderr)
            return 1
        ended = end_leftovers(folders)
        print("Ended." if was_running or ended else f"Nothing runs in {folders.root}.")
        return 0
    if not clean(folders):
        print("The platform runs; end it first: make stop", file=sys.stderr)
        return 1
    print(f"{folders.root} is empty.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
