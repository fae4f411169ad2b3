"""Handing mail to a server: a few connections side by side, used for many messages."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import aiosmtplib
from council_common.observability.logs import get_logger

from notification_service.channels.rules import (
    CONNECTION_LOST,
    NOT_STARTED,
    TAKEN,
    Envelope,
    ServerAnswer,
    Stage,
    answer_of,
)
from notification_service.messages.rules import CARRIER_AWAY
from notification_service.settings import Settings

log = get_logger()

_LOST = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPConnectError, aiosmtplib.SMTPTimeoutError, OSError)


class Carrier:
    """A mail server for the length of a batch; an async context manager.

    A server that refuses a connection is asked for no other in the same batch: those that are open do the work.
    `refused_because` is why: the kind of fault and the server's reply only.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: list[aiosmtplib.SMTP] = []
        self.refused_because: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, _: TracebackType | None
    ) -> None:
        for line in self._idle:
            if fault is None:
                with suppress(aiosmtplib.SMTPException, OSError):
                    await line.quit(timeout=2)
            line.close()

    async def is_there(self) -> bool:
        """Open the first connection; false when the server does not let us in."""
        line = await self._connect()
        if line is not None:
            self._idle.append(line)
        return line is not None

    async def hand_over(self, envelopes: Sequence[Envelope], *, deadline: float) -> list[tuple[Envelope, ServerAnswer]]:
        """Hand messages to the server; every one of them has an answer.

        Nothing is begun after `deadline` (the loop's time), so that what is under way ends while its lease holds.
        """
        waiting = deque(envelopes)
        answers: list[tuple[Envelope, ServerAnswer]] = []

        def in_time() -> bool:
            return asyncio.get_running_loop().time() <= deadline

        async def work() -> None:
            while waiting and in_time():
                line = self._idle.pop() if self._idle else await self._connect()
                if line is None:
                    return
                if waiting:
                    envelope = waiting.popleft()
                    answers.append((envelope, await self._send(line, envelope)))
                if line.is_connected:
                    self._idle.append(line)
                else:
                    line.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._settings.smtp_connections, len(envelopes))):
                group.create_task(work())
        left = ServerAnswer(CARRIER_AWAY, explanation=self.refused_because) if in_time() else NOT_STARTED
        return answers + [(envelope, left) for envelope in waiting]

    async def _send(self, line: aiosmtplib.SMTP, envelope: Envelope) -> ServerAnswer:
        try:
            return await _send(line, envelope, self._settings.mail_from)
        except BaseException:
            line.close()
            raise

    async def _connect(self) -> aiosmtplib.SMTP | None:
        if self.refused_because is not None:
            return None
        settings = self._settings
        line = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=settings.smtp_password.get_secret_value() or None,
            start_tls=settings.smtp_starttls,
            # A container's own name is no domain, and relays may refuse every message of a host without one.
            local_hostname=settings.mail_from.rpartition("@")[2],
            timeout=settings.smtp_timeout_seconds,
        )
        try:
            await line.connect()
        except (aiosmtplib.SMTPException, OSError) as fault:
            line.close()
            reply = f" {fault.code}" if isinstance(fault, aiosmtplib.SMTPResponseException) else ""
            self.refused_because = f"{type(fault).__name__}{reply}"
            log.warning("mail_server_refused_connection", cause=self.refused_because, connections_open=len(self._idle))
            return None
        return line


async def _send(line: aiosmtplib.SMTP, envelope: Envelope, sender: str) -> ServerAnswer:
    """One message to one recipient on an open connection."""
    try:
        await line.sendmail(sender, [envelope.recipient], envelope.content)
    except aiosmtplib.SMTPRecipientsRefused as fault:
        return answer_of(Stage.RECIPIENT, fault.recipients[0].code)
    except aiosmtplib.SMTPSenderRefused as fault:
        return answer_of(Stage.SENDER, fault.code)
    except _LOST:
        line.close()
        return CONNECTION_LOST
    except aiosmtplib.SMTPResponseException as fault:
        return answer_of(Stage.MESSAGE, fault.code)
    except ValueError:
        return ServerAnswer("message_refused", final=True, explanation="not sendable over SMTP")
    return TAKEN
