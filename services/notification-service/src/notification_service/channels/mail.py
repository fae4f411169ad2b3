"""A message as bytes: an e-mail to its recipient, or a letter to the print room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID

from council_common.clock import london_date

from notification_service.message_templates.rendering import day, one_line
from notification_service.messages.tables import Rendering

# Only the text's own ASCII stands as it is: not every server on the way takes eight bits.
_ENCODING = "quoted-printable"


def message_id_header(message_id: UUID, mail_from: str) -> str:
    """The Message-ID: the same for every attempt, so that a mailbox shows a message sent twice once."""
    return f"<{message_id}@{mail_from.rpartition('@')[2]}>"


def email_bytes(rendering: Rendering, *, sender: str, sender_name: str, at: datetime) -> bytes:
    """The message as an e-mail, with its HTML beside the text where there is one.

    Raises ValueError for an address that is not plain ASCII.
    """
    mail = _headed(
        rendering.message_id,
        rendering.subject,
        sender=sender,
        sender_name=sender_name,
        recipients=rendering.sent_to,
        at=at,
    )
    mail.set_content(_lines(rendering.text), cte=_ENCODING)
    if rendering.html is not None:
        mail.add_alternative(_lines(rendering.html), subtype="html", cte=_ENCODING)
        # Every attempt has the same bytes. Quoted-printable text never holds "=_".
        mail.set_boundary(f"=_{rendering.message_id.hex}")
    return _bytes_of(mail)


def letter_bytes(rendering: Rendering, *, sender: str, sender_name: str, print_room: str, at: datetime) -> bytes:
    """The message as a letter, in an e-mail to the print room: postal address, date, text.

    Its subject names no person. Raises ValueError for an address that is not plain ASCII.
    """
    mail = _headed(
        rendering.message_id,
        f"Letter to print and post: {rendering.message_id}",
        sender=sender,
        sender_name=sender_name,
        recipients=[print_room],
        at=at,
    )
    address, written_on = "\n".join(rendering.sent_to), day(london_date(rendering.rendered_at))
    letter = f"{address}\n\n{written_on}\n\n{rendering.subject}\n\n{rendering.text}"
    mail.set_content(_lines(letter), cte=_ENCODING)
    return _bytes_of(mail)


def _headed(
    message_id: UUID, subject: str, *, sender: str, sender_name: str, recipients: Sequence[str], at: datetime
) -> EmailMessage:
    """A message with its headers; those that hold what people wrote are one line of plain words."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(sender, _plain_words(sender_name))
    mail["To"] = [_address(recipient) for recipient in recipients]
    mail["Subject"] = _plain_words(subject)
    mail["Date"] = at
    mail["Message-ID"] = message_id_header(message_id, sender)
    # No robot answers us (RFC 3834; the second is Exchange's). There is no List-Unsubscribe (RFC 8058): these are
    # notices about money, without an opt-out.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    return mail


def _lines(text: str) -> str:
    """The text, its last line ended, too: mail has no other (RFC 5322 §2.1)."""
    return text.removesuffix("\n") + "\n"


def _bytes_of(mail: EmailMessage) -> bytes:
    # Setting content takes headers of content away: this one comes last.
    mail["Content-Language"] = "en-GB"
    return mail.as_bytes()


def _plain_words(text: str) -> str:
    # A line of theirs must not become a header, nor an encoded word (RFC 2047) that hides one.
    return one_line(text).replace("=?", "= ?")


def _address(address: str, name: str = "") -> Address:
    if not address.isascii():
        raise ValueError("the address is not plain ASCII")
    user, _, domain = address.rpartition("@")
    return Address(name, user, domain)
