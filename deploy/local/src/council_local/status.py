"""What runs in a data folder, seen from outside."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
from rich.console import Console
from rich.table import Table

from council_local.child import recorded_process
from council_local.claim import SUPERVISOR, end_leftovers
from council_local.folders import Folders
from council_local.ports import Ports
from council_local.surroundings import mail_url


def running(folders: Folders) -> Iterator[tuple[str, psutil.Process]]:
    """Every recorded process that is still that very process."""
    for record in sorted(folders.pids.glob("*.json")):
        process = recorded_process(record)
        if process is not None:
            yield record.stem, process


def memory_of(process: psutil.Process) -> int:
    """Bytes of memory of one process: its share where it shares pages with others (PSS), if the system says so."""
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.uss))
    except psutil.AccessDenied:
        return int(process.memory_info().rss)


def memory_of_part(name: str, process: psutil.Process) -> int:
    """Bytes of memory of a part and of what it started, as PostgreSQL does for each connection."""
    # The supervisor's children are the other parts.
    family = [process] if name == SUPERVISOR else [process, *process.children(recursive=True)]
    total = 0
    for one in family:
        with suppress(psutil.NoSuchProcess):
            total += memory_of(one)
    return total


def print_status(folders: Folders, ports: Ports, console: Console) -> bool:
    """One line per running part and their sum, and where the mail is read; false when nothing runs."""
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "process", "memory", "since"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    total = 0
    for name, process in running(folders):
        memory = memory_of_part(name, process)
        total += memory
        minutes = (time.time() - process.create_time()) / 60
        table.add_row(name, str(process.pid), f"{memory / 2**20:.0f} MiB", f"{minutes:.0f} min")
    if table.row_count:
        table.add_row("all", "", f"{total / 2**20:,.0f} MiB", "")
        console.print(table)
        console.print(f"Mail sink: {mail_url(folders, ports)}", highlight=False, markup=False, soft_wrap=True)
    else:
        console.print(f"Nothing runs in {folders.root}.")
    return table.row_count > 0


def clean(folders: Folders) -> bool:
    """Delete the platform's data, keys and logs; refuses (false) while a supervisor works there."""
    if recorded_process(folders.pid(SUPERVISOR)) is not None:
        return False
    end_leftovers(folders)
    # By name and not the whole folder: COUNCIL_DATA may point to one that holds other things.
    ours = (folders.postgres, folders.kafka, folders.keys, folders.mail, folders.gateway, folders.logs, folders.pids)
    for folder in ours:
        shutil.rmtree(folder, ignore_errors=True)
    folders.lock.unlink(missing_ok=True)
    return True
