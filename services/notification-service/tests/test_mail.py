from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest
from council_common.ids import new_id
from hypothesis import given, settings
from hypothesis import strategies as st
from notification_factories import NOW
from notification_service.channels.mail import email_bytes, letter_bytes
from notification_service.message_templates.rendering import one_line
from notification_service.messages.rules import body_sha256
from notification_service.messages.tables import Rendering
from notification_stand_ins import words

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def a_rendering(*, subject: str = "Hello", text: str = "Hello", html: str | None = None) -> Rendering:
    return Rendering(
        message_id=new_id(),
        number=1,
        template_version=1,
        subject=subject,
        text=text,
        html=html,
        body_sha256=body_sha256(text, html),
        sent_to=["one@home.example", "two@home.example"],
        enclosures=[],
        rendered_at=NOW,
    )


def read(content: bytes) -> EmailMessage:
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    mail = email.message_from_bytes(content, policy=email.policy.default)  # type: ignore[arg-type]
    assert isinstance(mail, EmailMessage)
    assert not any(part.defects for part in mail.walk())
    return mail


def _lines(text: str) -> list[str]:
    """Lines, without the empty ones at the end: mail ends with a line end, whatever sign ended the text."""
    lines = text.splitlines()
    while lines and not lines[-1]:
        lines.pop()
    return lines


@settings(max_examples=50, deadline=None)
@given(TEXT, TEXT, st.none() | TEXT)
def test_every_message_is_read_back_as_it_was_written(subject: str, text: str, html: str | None) -> None:
    rendering = a_rendering(subject=subject, text=text, html=html)
    mail = read(email_bytes(rendering, sender="pay@council.example", sender_name="Å Council", at=NOW))
    assert set(mail.keys()) - {"Content-Transfer-Encoding"} == {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "Content-Language",
        "MIME-Version",
        "Content-Type",
    }
    assert _lines(words(mail)) == _lines(text)
    assert mail["From"].addresses[0].addr_spec == "pay@council.example"
    assert [address.addr_spec for address in mail["To"].addresses] == rendering.sent_to
    if html is not None:
        part = mail.get_body(("html",))
        assert part is not None
        assert _lines(part.get_content()) == _lines(html)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "Sc", "Zs"]), max_size=200))
def test_a_subject_is_read_back_as_one_line(subject: str) -> None:
    mail = read(email_bytes(a_rendering(subject=subject), sender="p@c.example", sender_name="C", at=NOW))
    assert " ".join(str(mail["Subject"]).split()) == " ".join(one_line(subject).split())


@pytest.mark.parametrize(
    "written", ["=?utf-8?q?a=0D=0ABcc:_all@home.example?=", "a\r\nBcc: all@home.example", "a\x0bBcc: b"]
)
def test_what_people_wrote_is_no_header(written: str) -> None:
    """RFC 2047: a mail program shows what an encoded word hides, a line end too."""
    rendering = a_rendering(subject=written)
    for content in (
        email_bytes(rendering, sender="p@c.example", sender_name=written, at=NOW),
        letter_bytes(rendering, sender="p@c.example", sender_name=written, print_room="print@c.example", at=NOW),
    ):
        head = content.partition(b"\r\n\r\n")[0]
        assert b"Bcc" not in {line.partition(b":")[0] for line in head.split(b"\r\n")}
        mail = read(content)
        assert (mail["Bcc"], len(mail["From"].addresses), "\n" in mail["Subject"]) == (None, 1, False)


def test_a_sender_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        email_bytes(a_rendering(), sender="zahlungen@müller.example", sender_name="C", at=NOW)


def test_a_letter_says_when_it_was_written_in_london() -> None:
    rendering = a_rendering(subject="S", text="T")
    rendering.rendered_at = NOW.replace(month=7, hour=23, minute=30)
    letter = letter_bytes(rendering, sender="p@c.example", sender_name="C", print_room="print@c.example", at=NOW)
    assert words(read(letter)).splitlines()[3] == "12 July 2026"
