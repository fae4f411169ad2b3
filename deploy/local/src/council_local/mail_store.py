"""Every message the mail sink took, on disk before the sender gets its answer."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import sqlite3
import time
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

TABLE = """
create table if not exists mail (
    id integer primary key,
    received_at real not null,
    sender text not null,
    recipients text not null,
    message_id text not null,
    subject text not null,
    raw blob not null
);
create index if not exists mail_message_id on mail (message_id);
"""
INSERT = "insert into mail (received_at, sender, recipients, message_id, subject, raw) values (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class Envelope:
    """What came over SMTP."""

    sender: str
    recipients: list[str]
    raw: bytes


class MailStore:
    """Messages in SQLite; many that arrive together share one write to disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Letters of real people: their owner's alone, those of an earlier start as well. SQLite's own files follow.
        folder.chmod(0o700)
        file = folder / "mail.sqlite"
        file.touch(mode=0o600)
        file.chmod(0o600)
        self._database = sqlite3.connect(file, check_same_thread=False)
        self._database.executescript("pragma journal_mode = wal; pragma synchronous = full;" + TABLE)
        self._waiting: list[tuple[Envelope, asyncio.Future[None]]] = []
        self._writing = asyncio.Lock()

    async def keep(self, envelope: Envelope) -> None:
        """Return only when the message is on disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((envelope, done))
        async with self._writing:
            batch, self._waiting = self._waiting, []
            if batch:
                await asyncio.to_thread(self._write, [envelope for envelope, _ in batch])
                for _, one in batch:
                    one.set_result(None)
        await done

    def _write(self, envelopes: list[Envelope]) -> None:
        rows = []
        for envelope in envelopes:
            headers = _parsed(envelope.raw)
            recipients = json.dumps(envelope.recipients)
            known_as = (str(headers["message-id"] or ""), str(headers["subject"] or ""))
            rows.append((time.time(), envelope.sender, recipients, *known_as, envelope.raw))
        with self._database:
            self._database.executemany(INSERT, rows)

    def counts(self) -> dict[str, int]:
        """How many came, and how many different ones: a difference means something was sent twice."""
        sql = "select count(*), count(distinct message_id) from mail"
        messages, distinct = self._database.execute(sql).fetchone()
        return {"messages": messages, "distinct_message_ids": distinct}

    def messages(self, *, recipient: str = "", after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """Messages in the order of arrival; with `recipient`, those to addresses that contain it."""
        sql = """select id, received_at, sender, recipients, message_id, subject from mail
                 where id > ? and instr(lower(recipients), lower(?)) > 0 order by id limit ?"""
        rows = self._database.execute(sql, (after, json.dumps(recipient)[1:-1], limit)).fetchall()
        return [_as_summary(row) for row in rows]

    def newest(self, *, limit: int) -> list[dict[str, Any]]:
        """The last that came, newest first."""
        sql = "select id, received_at, sender, recipients, message_id, subject from mail order by id desc limit ?"
        return [_as_summary(row) for row in self._database.execute(sql, (limit,)).fetchall()]

    def one(self, number: int) -> dict[str, Any] | None:
        """A message with its text and the names of its attachments."""
        sql = "select id, received_at, sender, recipients, message_id, subject, raw from mail where id = ?"
        row = self._database.execute(sql, (number,)).fetchone()
        if row is None:
            return None
        message = _parsed(row[6])
        text = message.get_body(("plain",))
        html = message.get_body(("html",))
        return {
            **_as_summary(row),
            "headers": {name: str(value) for name, value in message.items()},
            "text": text.get_content() if text else "",
            "html": html.get_content() if html else "",
            "attachments": [part.get_filename() or "" for part in message.iter_attachments()],
        }

    def raw(self, number: int) -> bytes | None:
        row = self._database.execute("select raw from mail where id = ?", (number,)).fetchone()
        return bytes(row[0]) if row else None

    def empty(self) -> None:
        with self._database:
            self._database.execute("delete from mail")


def _parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def _as_summary(row: tuple[Any, ...]) -> dict[str, Any]:
    number, received_at, sender, recipients, message_id, subject = row[:6]
    return {
        "id": number,
        "received_at": received_at,
        "sender": sender,
        "recipients": json.loads(recipients),
        "message_id": message_id,
        "subject": subject,
    }
