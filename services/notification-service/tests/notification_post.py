"""The service with real neighbours: what a story of this service talks to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from council_common.runtime.clients import ServiceClients
from council_common.testing.harness import Harness
from notification_service.channels.jobs import SEND
from notification_service.remittances.jobs import RELEASE
from notification_stand_ins import MailServer, OtherServices, mail_server

SUPPLIER_ID = UUID("0195a1b2-0000-7000-8000-0000000000f1")
CUSTOMER_ID = UUID("0195a1b2-0000-7000-8000-0000000000f2")
HOME = "mrs.ames@home.example"


@dataclass
class Post:
    """The service with a mail server and the other services beside it."""

    service: Harness
    mail: MailServer
    others: OtherServices

    async def send(self) -> None:
        await self.service.run_job(SEND)

    async def release(self) -> None:
        await self.service.run_job(RELEASE)

    async def template(self, name: str, body: dict[str, Any], *, approved: bool = True) -> httpx.Response:
        """A new template or, where the body names none, a version of one; approved by a second person."""
        path = "/v1/message-templates" if "name" in body else f"/v1/message-templates/{name}/versions"
        async with self.service.as_("communications_officer") as writer:
            added = await writer.post(path, json=body)
        if approved and added.status_code == 201:
            number = added.json()["version"]
            async with self.service.as_("debt_recovery_officer") as second:
                decision = f"/v1/message-templates/{name}/versions/{number}/approvals"
                answer = await second.post(decision, json={"note": "read and right"})
            assert answer.status_code == 201, answer.text
        return added

    async def messages(self, **filters: Any) -> list[dict[str, Any]]:
        """The list as an officer sees it, newest first."""
        async with self.service.as_("communications_officer") as officer:
            answer = await officer.get("/v1/messages", params={"limit": 200, **filters})
            assert answer.status_code == 200, answer.text
            return list(answer.json()["items"])

    async def message(self, **filters: Any) -> dict[str, Any]:
        """The only message that matches, with its log."""
        (found,) = await self.messages(**filters)
        async with self.service.as_("communications_officer") as officer:
            return dict((await officer.get(f"/v1/messages/{found['id']}")).json())


@asynccontextmanager
async def post_of(service: Harness, others: OtherServices) -> AsyncIterator[Post]:
    others.forget()
    async with mail_server() as mail, httpx.AsyncClient() as client:
        settings = service.runtime.settings.model_copy(
            update={
                "smtp_host": "127.0.0.1",
                "smtp_port": mail.port,
                "oidc_issuer": others.url,
                "supplier_service_url": others.url,
                "debt_service_url": others.url,
                "mail_from": "payments@council.example",
                "council_name": "Ashford Council",
            }
        )
        service.runtime.settings = settings
        service.runtime.clients = ServiceClients(settings, client)
        yield Post(service, mail, others)


def statuses(message: dict[str, Any]) -> list[tuple[str, str | None, int]]:
    """The log of a message: status, code and attempt of its lines."""
    return [(line["status"], line["code"], line["attempt"]) for line in message["status_history"]]
