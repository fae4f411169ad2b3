"""The sink keeps every message it accepted, counts what came twice, and really refuses."""

import asyncio
import stat
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest
from council_local import mail_sink
from council_local.mail_sink import page_app, start_smtp
from council_local.mail_store import MailStore
from council_local.ports import free_ports

SECRET = "a-secret-of-the-sink"


def a_message(
    *, to: str = "supplier@firm.example", message_id: str = "<1@council>", subject: str = "Remittance"
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "payments@council.example", to, subject
    message["Message-ID"] = message_id
    message.set_content("We paid £12.34.\n")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="debit-note.pdf")
    return message


@pytest.fixture
async def port(store: MailStore) -> AsyncIterator[int]:
    (number,) = free_ports(1)
    server = await start_smtp(store, number, secret=SECRET)
    yield number
    server.close()


@pytest.fixture
def store(tmp_path: Path) -> MailStore:
    return MailStore(tmp_path / "mail")


@pytest.fixture
def page(store: MailStore) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(page_app(store, secret=SECRET))
    return httpx.AsyncClient(transport=transport, base_url=f"http://mail:{SECRET}@127.0.0.1")


async def send(port: int, message: EmailMessage, *, secret: str | None = SECRET) -> None:
    await aiosmtplib.send(
        message,
        hostname="127.0.0.1",
        port=port,
        start_tls=False,
        username="mail" if secret else None,
        password=secret,
    )


@pytest.mark.parametrize(("secret", "code"), [(None, 530), ("guessed", 535)])
async def test_mail_of_another_user_of_the_machine_is_refused(
    port: int, store: MailStore, secret: str | None, code: int
) -> None:
    with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
        await send(port, a_message(), secret=secret)
    assert refused.value.code == code
    assert store.counts()["messages"] == 0


@pytest.mark.parametrize("shown", [None, ("mail", "guessed"), ("mail", "")])
@pytest.mark.parametrize("path", ["/", "/messages", "/messages/1", "/messages/1/raw", "/counts"])
async def test_the_page_asks_for_a_secret(
    port: int, store: MailStore, path: str, shown: tuple[str, str] | None
) -> None:
    await send(port, a_message())
    transport = httpx.ASGITransport(page_app(store, secret=SECRET))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", auth=shown) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")
        assert "Remittance" not in answer.text
        assert (await client.delete("/messages")).status_code == 401
        assert (await client.get("/health/live")).json() == {"status": "ok"}
    assert store.counts()["messages"] == 1


async def test_mail_on_disk_is_its_owner_s_alone(port: int, store: MailStore, tmp_path: Path) -> None:
    await send(port, a_message())
    folder = tmp_path / "mail"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert files == {"mail.sqlite": 0o600, "mail.sqlite-wal": 0o600, "mail.sqlite-shm": 0o600}


async def test_a_message_can_be_read_again(port: int, page: httpx.AsyncClient) -> None:
    await send(port, a_message(subject="Remittance <b>advice</b>"))
    found = (await page.get("/messages", params={"recipient": "supplier@firm.example"})).json()["items"]
    one = (await page.get(f"/messages/{found[0]['id']}")).json()
    assert one["text"].strip() == "We paid £12.34."
    assert one["attachments"] == ["debit-note.pdf"]
    assert "%PDF" not in (await page.get("/")).text
    assert "<b>advice" not in (await page.get("/")).text
    assert (await page.get("/messages", params={"recipient": "other@firm.example"})).json()["items"] == []


async def test_what_came_twice_is_kept_twice_and_counted_once(port: int, page: httpx.AsyncClient) -> None:
    for message_id in ("<1@council>", "<1@council>", "<2@council>"):
        await send(port, a_message(message_id=message_id))
    assert (await page.get("/counts")).json() == {"messages": 3, "distinct_message_ids": 2}


@pytest.mark.parametrize(("domain", "code"), [("bounce.example", 550), ("busy.example", 451)])
async def test_addresses_made_to_fail_do_fail(port: int, page: httpx.AsyncClient, domain: str, code: int) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(port, a_message(to=f"someone@{domain}"))
    assert refused.value.recipients[0].code == code
    assert (await page.get("/counts")).json()["messages"] == 0


async def test_many_at_once_are_all_kept_over_a_restart(port: int, store: MailStore, tmp_path: Path) -> None:
    await asyncio.gather(*(send(port, a_message(message_id=f"<{number}@council>")) for number in range(50)))
    assert MailStore(tmp_path / "mail").counts() == {"messages": 50, "distinct_message_ids": 50}


async def test_delete_empties_the_sink(port: int, page: httpx.AsyncClient) -> None:
    await send(port, a_message())
    assert (await page.delete("/messages")).status_code == 204
    assert (await page.get("/counts")).json()["messages"] == 0


async def test_pages_follow_one_another(port: int, page: httpx.AsyncClient) -> None:
    for number in range(3):
        await send(port, a_message(message_id=f"<{number}@council>"))
    first = (await page.get("/messages", params={"limit": 2})).json()
    second = (await page.get("/messages", params={"limit": 2, "after": first["next"]})).json()
    assert (len(first["items"]), len(second["items"])) == (2, 1)
    assert second["next"] is None


async def test_the_page_shows_the_newest(port: int, page: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_sink, "PAGE_LIMIT", 2)
    for number in range(3):
        await send(port, a_message(message_id=f"<{number}@council>"))
    shown = (await page.get("/")).text
    assert [f"/messages/{number}'" in shown for number in (1, 2, 3)] == [False, True, True]
    assert shown.index("/messages/3'") < shown.index("/messages/2'")
