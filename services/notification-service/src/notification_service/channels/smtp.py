"""Handing mail to a server: a few connections side by side, each used for many messages."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import aiosmtplib

from notification_service.channels.rules import NO_CARRIER, NOT_STARTED, TAKEN, Answer, Envelope, Stage, answer_of
from notification_service.settings import Settings

_AWAY = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPConnectError, aiosmtplib.SMTPTimeoutError, OSError)


class Carrier:
    """A mail server for the length of a batch; an async context manager.

    Nothing is begun after `deadline` (the loop's time), so that what is under way ends while its lease holds. A
    server that does not let us in is not asked again in the same batch.
    """

    def __init__(self, settings: Settings, *, deadline: float) -> None:
        self._settings = settings
        self._deadline = deadline
        self._idle: list[aiosmtplib.SMTP] = []
        self._away = False

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

    async def hand_over(self, envelopes: Sequence[Envelope]) -> list[tuple[Envelope, Answer]]:
        """Hand messages to the server; every one of them has an answer."""
        waiting = deque(envelopes)
        answers: list[tuple[Envelope, Answer]] = []

        async def work() -> None:
            while waiting:
                envelope = waiting.popleft()
                answers.append((envelope, await self._one(envelope)))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._settings.smtp_connections, len(envelopes))):
                group.create_task(work())
        return answers

    async def _one(self, envelope: Envelope) -> Answer:
        if self._away:
            return NO_CARRIER
        if asyncio.get_running_loop().time() > self._deadline:
            return NOT_STARTED
        line = self._idle.pop() if self._idle else await self._connect()
        if line is None:
            return NO_CARRIER
        try:
            answer = await _send(line, envelope, self._settings.mail_from)
        except BaseException:
            line.close()
            raise
        if line.is_connected:
            self._idle.append(line)
        else:
            line.close()
        return answer

    async def _connect(self) -> aiosmtplib.SMTP | None:
        settings = self._settings
        line = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=settings.smtp_password.get_secret_value() or None,
            start_tls=settings.smtp_starttls,
            local_hostname=socket.gethostname(),
            timeout=settings.smtp_timeout_seconds,
        )
        try:
            await line.connect()
        except (aiosmtplib.SMTPException, OSError):
            line.close()
            self._away = True
            return None
        return line


async def _send(line: aiosmtplib.SMTP, envelope: Envelope, sender: str) -> Answer:
    """One message on an open connection. Of several recipients one that takes it is enough."""
    try:
        refused, _ = await line.sendmail(sender, envelope.recipients, envelope.content)
    except aiosmtplib.SMTPRecipientsRefused as fault:
        return answer_of(Stage.RECIPIENT, min(each.code for each in fault.recipients))
    except aiosmtplib.SMTPSenderRefused as fault:
        return answer_of(Stage.SENDER, fault.code)
    except _AWAY:
        line.close()
        return NO_CARRIER
    except aiosmtplib.SMTPResponseException as fault:
        # 421: the server closes the connection; any other answer is to the message itself.
        return NO_CARRIER if fault.code == 421 else answer_of(Stage.MESSAGE, fault.code)
    except ValueError:
        return Answer("message_refused", final=True, explanation="not sendable over SMTP")
    return TAKEN if not refused else Answer(None, explanation=f"{len(refused)} of {len(envelope.recipients)} refused")
