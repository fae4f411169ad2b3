"""What runs in a data folder, seen from outside."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import psutil
from rich.console import Console
from rich.table import Table

from council_local.child import recorded_process
from council_local.claim import SUPERVISOR, end_leftovers
from council_local.folders import Folders


def running(folders: Folders) -> Iterator[tuple[str, psutil.Process]]:
    """Every recorded process that is still that very process."""
    for record in sorted(folders.pids.glob("*.json")):
        process = recorded_process(record)
        if process is not None:
            yield record.stem, process


def print_status(folders: Folders, console: Console) -> bool:
    """One line per running part; false when nothing runs."""
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "process", "memory", "since"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for name, process in running(folders):
        mebibytes = process.memory_info().rss / 2**20
        minutes = (time.time() - process.create_time()) / 60
        table.add_row(name, str(process.pid), f"{mebibytes:.0f} MiB", f"{minutes:.0f} min")
    if table.row_count:
        console.print(table)
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
