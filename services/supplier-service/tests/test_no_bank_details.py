"""Bank details are in the tables made for them, and nowhere else."""

import json
from typing import Any

import pytest
from council_common.database.tables import change, idempotency_key, outbox
from council_common.observability.logs import configure_logs, get_logger
from council_common.testing.harness import Harness
from council_common.web import middleware, problems
from sqlalchemy import select
from supplier_service.bank_account_changes import jobs
from supplier_stories import ACCOUNT_NUMBER, SECRETS, Case, a_change, a_supplier, registered


async def _stored(service: Harness) -> str:
    async with service.runtime.sessions() as session:
        payloads = [row.payload for row in await session.execute(select(outbox.c.payload))]
        changes = [dict(row) for row in (await session.execute(select(change))).mappings()]
        answers = [row.body or b"" for row in await session.execute(select(idempotency_key.c.body))]
    return b"\n".join(payloads + answers).decode() + json.dumps(changes, default=str)


async def _bad_requests(service: Harness, supplier_id: str) -> list[Any]:
    wrong = a_supplier(reference="X", vat_number="1")
    async with service.as_("payments_assistant") as assistant, service.as_("erp") as erp:
        return [
            await erp.post("/v1/suppliers", json=a_supplier(bank_account={"sort_code": ACCOUNT_NUMBER})),
            await erp.post("/v1/suppliers", json=a_supplier(name="Another")),
            await erp.post("/v1/suppliers", json=wrong),
            await erp.post("/v1/suppliers/bulk", json={"items": [wrong, a_supplier(name="Another")]}),
            await assistant.post("/v1/suppliers", json=a_supplier(reference="Y")),
            await assistant.post(
                f"/v1/suppliers/{supplier_id}/holds", json={"reason": "other", "note": f"Pay {ACCOUNT_NUMBER}"}
            ),
            await assistant.post("/v1/bank-account-changes", json=a_change(supplier_id)),
            await assistant.post("/v1/bank-account-changes", json=a_change(supplier_id, sort_code=ACCOUNT_NUMBER)),
            await assistant.post("/v1/bank-account-changes", json=a_change("not an id")),
            await assistant.patch(f"/v1/suppliers/{supplier_id}", json={"bank_account": a_supplier()["bank_account"]}),
        ]


def _log(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    """With new loggers: one in use keeps the level it began with."""
    configure_logs("supplier-service", level=level)
    for module in (middleware, problems, jobs):
        monkeypatch.setattr(module, "log", get_logger())


async def test_no_answer_event_history_or_log_has_them(
    service: Harness, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _log(monkeypatch, "DEBUG")
    supplier = await registered(service)
    case = Case(service, supplier)
    answers = [await case.approved()]
    wrong = await _bad_requests(service, supplier["id"])
    assert {answer.status_code for answer in wrong} <= {200, 403, 409, 422, 428}
    service.now = service.now.replace(day=20)
    await service.run_job(jobs.JOBS[0])
    path = f"/v1/suppliers/{supplier['id']}"
    for read in (path, f"{path}/history", f"{path}/bank-accounts", "/v1/suppliers", case.path, f"{case.path}/history"):
        answer = await case.approver.get(read)
        assert answer.status_code == 200
        answers.append(answer.json())
    for exported in ("/v1/suppliers/export.csv", "/v1/bank-account-changes/export.csv"):
        answer = await case.approver.get(exported)
        assert (answer.status_code, supplier["id"] in answer.text) == (200, True)
        answers.append(answer.text)
    logs = capfd.readouterr()
    with capfd.disabled():  # what is captured is closed after this test: the next test that logs must not write there
        _log(monkeypatch, "ERROR")
    shown = json.dumps(answers, ensure_ascii=False) + "".join(answer.text for answer in wrong)
    everything = {"answers": shown, "stored": await _stored(service), "logs": logs.out + logs.err}
    assert "bank_accounts_activated" in everything["logs"]
    found = {place: [secret for secret in SECRETS if secret in text] for place, text in everything.items()}
    assert found == {"answers": [], "stored": [], "logs": []}
