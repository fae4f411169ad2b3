"""A message as bytes: an e-mail to its recipient, or a letter to the print room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from council_common.clock import london_date

from notification_service.message_templates.rendering import day, one_line
from notification_service.messages.tables import Rendering


def message_id_header(message_id: UUID, mail_from: str) -> str:
    """The Message-ID: the same for every attempt, so that a mailbox shows a message sent twice once."""
    return f"<{message_id}@{mail_from.rpartition('@')[2]}>"


def email_bytes(rendering: Rendering, *, sender: str, sender_name: str, at: datetime) -> bytes:
    """The message as an e-mail, with its HTML beside the text where there is one."""
    mail = _mail(
        rendering.message_id,
        rendering.subject,
        sender=sender,
        sender_name=sender_name,
        recipients=rendering.sent_to,
        at=at,
    )
    mail.set_content(rendering.text, charset="utf-8", cte="quoted-printable")
    if rendering.html is not None:
        mail.add_alternative(rendering.html, subtype="html", charset="utf-8", cte="quoted-printable")
    return mail.as_bytes()


def letter_bytes(rendering: Rendering, *, sender: str, sender_name: str, print_room: str, at: datetime) -> bytes:
    """The message as a letter, in an e-mail to the print room: postal address, date, text.

    Its subject names no person.
    """
    subject = f"Letter to print and post: {rendering.message_id}"
    mail = _mail(rendering.message_id, subject, sender=sender, sender_name=sender_name, recipients=[print_room], at=at)
    address = "\n".join(rendering.sent_to)
    letter = f"{address}\n\n{day(london_date(rendering.rendered_at))}\n\n{rendering.subject}\n\n{rendering.text}"
    mail.set_content(letter, charset="utf-8", cte="quoted-printable")
    return mail.as_bytes()


def _mail(
    message_id: UUID, subject: str, *, sender: str, sender_name: str, recipients: Sequence[str], at: datetime
) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(one_line(sender_name), addr_spec=sender)
    mail["To"] = [Address(addr_spec=each) for each in recipients]
    mail["Subject"] = one_line(subject)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id_header(message_id, sender)
    # No robot answers us (RFC 3834; the second is Exchange's). There is no List-Unsubscribe (RFC 8058): these are
    # notices about money that nobody can opt out of (receivables.md §6).
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["Content-Language"] = "en-GB"
    return mail
