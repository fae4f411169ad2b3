"""Another user of the machine reaches every port: no event, no notice and no letter comes of what they send."""

import asyncio
import stat

import aiosmtplib
import httpx
import pytest
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from council import Council
from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.events.envelope import seal
from council_common.events.relay import make_producer
from council_common.events.security import IN_CLEAR, KafkaSecurity
from council_common.ids import new_id


async def forge_a_notice(council: Council, security: KafkaSecurity) -> None:
    producer = make_producer(council.platform.kafka_bootstrap, security)
    try:
        async with asyncio.timeout(15):
            await producer.start()
            event = DunningNoticeIssuedV1.example()
            await producer.send_and_wait("debts.v1", seal(event, event_id=new_id()), key=str(event.key).encode())
    finally:
        await producer.stop()


async def test_a_forged_notice_reaches_nobody(council: Council) -> None:
    with pytest.raises((KafkaError, TimeoutError)):
        await forge_a_notice(council, IN_CLEAR)
    with pytest.raises(TopicAuthorizationFailedError):
        await forge_a_notice(council, council.platform.around.kafka_security("supplier-service"))


async def test_forged_mail_and_a_look_at_the_mail_are_refused(council: Council) -> None:
    ports = council.platform.around.ports
    with pytest.raises(aiosmtplib.SMTPResponseException):
        await aiosmtplib.send(
            b"Subject: Final notice\r\n\r\nPay.\r\n",
            sender="payments@council.example",
            recipients=["resident@home.example"],
            hostname="127.0.0.1",
            port=ports.smtp,
            start_tls=False,
        )
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{ports.mail_page}/messages")).status_code == 401


async def test_keys_events_and_mail_lie_in_folders_of_their_owner_s(council: Council) -> None:
    folders = council.platform.around.folders
    for folder in (folders.keys, folders.kafka, folders.mail, folders.postgres):
        assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0, folder
    for file in folders.keys.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
