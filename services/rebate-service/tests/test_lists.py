"""Lists and their CSV: an agreement by the version of today, the programme's figures for people."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from random import Random
from typing import Any

import httpx
import pytest
from council_common.ids import new_id
from council_common.testing.harness import Harness
from rebate_service.agreements.lists import AgreementList
from rebate_service.agreements.rules import AgreementStatus, shown_version, status_on
from rebate_service.agreements.store import versions_of
from rebate_service.agreements.tables import Agreement, AgreementVersion
from sqlalchemy import insert

TERMS = {
    "reference_rate_percent": 1,
    "target_day": 10,
    "term_days": 30,
    "clock_start": "received",
    "clock_end": "run_date",
    "rebate_base": "net",
    "vat_mode": "net_only",
    "collection": "claim",
}


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def some_versions(random: Random) -> list[dict[str, Any]]:
    """One to four versions that never share a day; some were withdrawn before their first, the last may be open."""
    versions: list[dict[str, Any]] = []
    day = date(2026, 2, 1)
    for number in range(1, random.randint(1, 4) + 1):
        begins = day + timedelta(days=random.randint(0, 20))
        ends = begins + timedelta(days=random.choice([-1, 0, 5, 30]))
        day = max(day, ends + timedelta(days=1))
        versions.append({"number": number, "effective_from": begins, "effective_to": ends})
    if random.random() < 0.5 and versions[-1]["effective_to"] >= versions[-1]["effective_from"]:
        versions[-1]["effective_to"] = None
    return versions


async def test_the_version_of_today_in_sql_is_that_of_the_rule(service: Harness) -> None:
    random = Random(7)  # noqa: S311
    agreements = [{"id": new_id(), "supplier_id": new_id(), "version": 1} for _ in range(200)]
    versions = [
        {"agreement_id": agreement["id"], "supplier_id": agreement["supplier_id"], **TERMS, **version}
        for agreement in agreements
        for version in some_versions(random)
    ]
    async with service.runtime.sessions.begin() as session:
        await session.execute(insert(Agreement), agreements)
        await session.execute(insert(AgreementVersion), versions)
        of_agreement = await versions_of(session, [agreement["id"] for agreement in agreements])
        for today in (date(2026, 1, 31), date(2026, 2, 14), date(2026, 3, 11), date(2026, 7, 1)):
            shown = {id_: shown_version(its_versions, today) for id_, its_versions in of_agreement.items()}
            rows = (await session.execute(AgreementList().csv_statement(today=today))).all()
            assert {row.id: (row.agreement_version, row.status) for row in rows} == {
                id_: (version.number, status_on(version, today)) for id_, version in shown.items()
            }
            for status in AgreementStatus:
                rows = (await session.execute(AgreementList(status=status).csv_statement(today=today))).all()
                assert {row.id for row in rows} == {
                    id_ for id_, version in shown.items() if status_on(version, today) is status
                }


async def test_agreements_are_exported_by_the_version_of_today(story: Any, supplier_names: dict[str, str]) -> None:
    await story.happens(story.agreed(), story.agreed(effective_from=date(2026, 6, 1), target_day=14))
    supplier_names[str(story.supplier_id)] = "=Ardley Paving Ltd"
    async with story.service.as_("auditor") as client:
        params = {"supplier_id": str(story.supplier_id)}
        [row] = rows_of(await client.get("/v1/agreements/export.csv", params=params))
        planned = rows_of(await client.get("/v1/agreements/export.csv", params=params | {"status": "planned"}))
    assert (row["supplier_name"], row["status"], row["target_day"]) == ("'=Ardley Paving Ltd", "active", "10")
    assert (row["effective_from"], row["effective_to"]) == ("2026-01-01", "2026-05-31")
    assert planned == []


async def test_the_programme_is_exported(story: Any, supplier_names: dict[str, str]) -> None:
    await story.happens(story.agreed(), story.paid(day=5, deducted=1_500))
    supplier_names[str(story.supplier_id)] = "Ardley Paving Ltd"
    async with story.service.as_("auditor") as client:
        period = {"from": "2026-03-01", "to": "2026-03-31"}
        by_month = rows_of(await client.get("/v1/programme-kpis/export.csv", params=period | {"by": "month"}))
        by_supplier = rows_of(await client.get("/v1/programme-kpis/export.csv", params=period | {"by": "supplier"}))
    assert [(row["month"], row["earned_pounds"], row["mean_days"]) for row in by_month] == [
        ("2026-03", "15.00", "5.00")
    ]
    assert [(row["supplier_id"], row["supplier_name"], row["earned_pounds"]) for row in by_supplier] == [
        (str(story.supplier_id), "Ardley Paving Ltd", "15.00")
    ]


async def test_list_filters_and_pages(story: Any, supplier_names: dict[str, str]) -> None:
    days = {"INV-1": 2, "INV-2": 3, "INV-3": 4}
    await story.happens(story.agreed())
    for number, day in days.items():
        invoice_id = new_id()
        received_on = date(2026, 3, day)
        await story.happens(
            story.received(invoice_id=invoice_id, number=number, received_on=received_on),
            story.paid(day=5, deducted=1_500, invoice_id=invoice_id, number=number, received_on=received_on),
        )
    await story.happens(story.received(invoice_id=new_id(), number="=INV-4"))
    assert len(await story.rebates(remitted_from="2026-03-08")) == 2
    assert len(await story.rebates(received_from="2026-03-03", received_to="2026-03-03")) == 1
    assert [rebate["invoice_number"] for rebate in await story.rebates(status="expected")] == ["=INV-4"]
    async with story.service.as_("auditor") as client:
        params: dict[str, Any] = {"supplier_id": str(story.supplier_id), "sort": "-remitted_on", "limit": 1}
        seen = []
        while True:
            page = (await client.get("/v1/rebates", params=params)).json()
            seen += [item["invoice_number"] for item in page["items"]]
            if page["next"] is None:
                break
            params["cursor"] = page["next"]
        supplier_names[str(story.supplier_id)] = "Ardley Paving Ltd"
        params = {"supplier_id": str(story.supplier_id), "sort": "id"}
        exported = await client.get("/v1/rebates/export.csv", params=params)
    assert seen == ["=INV-4", "INV-3", "INV-2", "INV-1"]
    assert exported.headers["content-type"].startswith("text/csv")
    rows = rows_of(exported)
    assert [row["invoice_number"] for row in rows] == ["INV-1", "INV-2", "INV-3", "'=INV-4"]
    assert [row["rebate_pounds"] for row in rows] == ["15.00", "15.00", "15.00", "0.00"]
    assert {row["supplier_name"] for row in rows} == {"Ardley Paving Ltd"}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/agreements?state=active", "state"),
        ("/v1/rebates?state=earned", "state"),
        ("/v1/rebates?sort=colour", "sort"),
        ("/v1/rebate-variances?limit=201", "limit"),
        ("/v1/programme-kpis?from=2026-03-01&to=2026-03-31&by_month=true", "by_month"),
        ("/v1/programme-kpis?to=2026-03-31", "from"),
        ("/v1/rebates?received_from=1773187200", "received_from"),
    ],
)
async def test_a_list_refuses_what_it_does_not_know(service: Harness, path: str, field: str) -> None:
    async with service.as_("auditor") as client:
        answer = await client.get(path)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_variances_by_their_filters(story: Any) -> None:
    await story.happens(story.agreed())
    for deducted in (1_000, 1_260):
        await story.happens(story.paid(day=10, deducted=deducted, invoice_id=new_id()))
    by_size = await story.variances(sort="-difference_pence")
    assert [variance["difference_pence"] for variance in by_size] == [60, -200]
    assert len(await story.variances(difference_pence_from="1")) == 1
    assert len(await story.variances(found_from="2026-03-11", found_to="2026-03-11")) == 2
    assert await story.variances(found_from="2026-03-12") == []
    assert len(await story.variances(ids=by_size[0]["id"])) == 1
