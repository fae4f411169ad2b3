"""A message as bytes: an e-mail to its recipient, or a letter to the print room.

The standard library's older message classes are used: the newer `EmailMessage` reads every header it is given back
into a tree and takes four times as long (1.2 ms a message), more than all else that happens to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.charset import QP, Charset
from email.header import Header
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime, formataddr
from uuid import UUID

from council_common.clock import london_date

from notification_service.message_templates.rendering import day, one_line
from notification_service.messages.tables import Rendering

_POLICY = compat32.clone(linesep="\r\n")
_READABLE_UTF8 = Charset("utf-8")
_READABLE_UTF8.body_encoding = QP


def message_id_header(message_id: UUID, mail_from: str) -> str:
    """The Message-ID: the same for every attempt, so that a mailbox shows a message sent twice once."""
    return f"<{message_id}@{mail_from.rpartition('@')[2]}>"


def email_bytes(rendering: Rendering, *, sender: str, sender_name: str, at: datetime) -> bytes:
    """The message as an e-mail, with its HTML beside the text where there is one."""
    mail = _part(rendering.text, "plain")
    if rendering.html is not None:
        whole: Message[str, str] = Message(policy=_POLICY)
        whole["MIME-Version"] = "1.0"
        whole.add_header("Content-Type", "multipart/alternative")
        whole.attach(mail)
        whole.attach(_part(rendering.html, "html"))
        mail = whole
    _address(
        mail,
        rendering.message_id,
        rendering.subject,
        sender=sender,
        sender_name=sender_name,
        recipients=rendering.sent_to,
        at=at,
    )
    return mail.as_bytes()


def letter_bytes(rendering: Rendering, *, sender: str, sender_name: str, print_room: str, at: datetime) -> bytes:
    """The message as a letter, in an e-mail to the print room: postal address, date, text.

    Its subject names no person.
    """
    address, written_on = "\n".join(rendering.sent_to), day(london_date(rendering.rendered_at))
    mail = _part(f"{address}\n\n{written_on}\n\n{rendering.subject}\n\n{rendering.text}", "plain")
    subject = f"Letter to print and post: {rendering.message_id}"
    _address(
        mail, rendering.message_id, subject, sender=sender, sender_name=sender_name, recipients=[print_room], at=at
    )
    return mail.as_bytes()


def _part(text: str, subtype: str) -> Message[str, str]:
    part: Message[str, str] = Message(policy=_POLICY)
    part.add_header("Content-Type", f"text/{subtype}")
    part.set_payload(text, _READABLE_UTF8)
    return part


def _address(
    mail: Message[str, str],
    message_id: UUID,
    subject: str,
    *,
    sender: str,
    sender_name: str,
    recipients: Sequence[str],
    at: datetime,
) -> None:
    """Put the headers on. Addresses have been checked and hold no space; other words are brought on one line."""
    mail["From"] = formataddr((one_line(sender_name), sender))
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = Header(one_line(subject), header_name="Subject").encode(linesep="\r\n")
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id_header(message_id, sender)
    # No robot answers us (RFC 3834; the second is Exchange's). There is no List-Unsubscribe (RFC 8058): these are
    # notices about money that nobody can opt out of (receivables.md §6).
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["Content-Language"] = "en-GB"
