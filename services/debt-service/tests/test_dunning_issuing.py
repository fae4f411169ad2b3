"""Issuing a run is long work: slice by slice behind a 202, stopped by an officer, gone on with after a kill -9."""

import asyncio
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.database.sessions import driver_url
from council_common.long_work.rules import MOST_ATTEMPTS
from council_common.long_work.turns import take_turn
from debt_service.recovery.dunning_runs import issuing
from sqlalchemy import text

TODAY = date(2026, 3, 11)
PROCESS = Path(__file__).parent / "issuing_process.py"


async def _proposed(office, debts: int) -> Any:
    """A proposal over so many debts, all of them due for their first notice."""
    office.on(TODAY)
    await office.ladder(1, 8, interval=7)
    customer = await office.customer()
    for _ in range(debts):
        await office.receivable(customer, 10_00, due_on=TODAY - timedelta(days=5))
    run = await office.propose(TODAY)
    assert run["found"]["proposed"] == debts
    return run


async def _history(office, path: str) -> Any:
    return (await office.get(f"{path}/history"))["items"]


async def _approve(office, run: Any) -> Any:
    answer = await office.officer.post(f"/v1/dunning-runs/{run['id']}/approvals")
    assert answer.status_code == 202, answer.text
    return answer


async def _one_slice(office, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(issuing, "SLICE", size)
    monkeypatch.setattr("council_common.long_work.turns.TURN_SECONDS", 0.0001)
    await take_turn(issuing.ISSUE_NOTICES, office.service.runtime)


async def test_an_approval_answers_at_once_and_the_run_shows_its_progress(office, monkeypatch) -> None:
    run = await _proposed(office, 5)
    assert run["progress"] is None
    answer = await _approve(office, run)
    approved = answer.json()
    assert (answer.headers["location"], answer.headers["etag"]) == (f"/v1/dunning-runs/{run['id']}", '"2"')
    assert (approved["status"], approved["issued_on"], approved["closed_by"]) == ("issuing", str(TODAY), None)
    assert approved["outcome"] == {"issued": 0, "by_level": [], "dropped": {}}
    assert {name: approved["progress"][name] for name in ("state", "unit", "done", "total", "share")} == {
        "state": "waiting", "unit": "debts", "done": 0, "total": 5, "share": 0.0,
    }  # fmt: skip
    await _one_slice(office, monkeypatch, 2)
    half = await office.get(f"dunning-runs/{run['id']}")
    assert (half["status"], half["progress"]["state"], half["progress"]["done"]) == ("issuing", "running", 2)
    assert half["outcome"]["by_level"] == [{"level": 1, "notices": 2}]
    [listed] = (await office.get("dunning-runs", status="issuing"))["items"]
    assert listed["progress"]["done"] == 2
    await office.issue()
    done = await office.get(f"dunning-runs/{run['id']}")
    assert (done["status"], done["progress"]["share"], done["outcome"]["issued"]) == ("issued", 1.0, 5)
    assert done["closed_by"] == done["progress"]["requested_by"] != done["proposed_by"]
    history = await _history(office, f"dunning-runs/{run['id']}")
    assert [(change["version"], change["action"]) for change in history] == [
        (1, "proposed"), (2, "approved"), (3, "issued"),
    ]  # fmt: skip


async def test_what_changes_between_two_slices_is_respected(office, monkeypatch) -> None:
    run = await _proposed(office, 4)
    await _approve(office, run)
    await _one_slice(office, monkeypatch, 2)
    waiting = await office.items(run, state="proposed")
    assert len(waiting) == 2
    await office.receipt(10_00, payer_reference=waiting[0]["number"])
    await office.hold(receivable_id=waiting[1]["receivable_id"])
    await office.issue()
    done = await office.get(f"dunning-runs/{run['id']}")
    assert done["outcome"] == {
        "issued": 2, "by_level": [{"level": 1, "notices": 2}], "dropped": {"on_hold:dispute": 1, "settled": 1},
    }  # fmt: skip


async def test_a_run_cancelled_while_it_is_issued_keeps_what_was_issued(office, monkeypatch) -> None:
    run = await _proposed(office, 5)
    await _approve(office, run)
    await _one_slice(office, monkeypatch, 2)
    path = f"dunning-runs/{run['id']}"
    cancelled = await office.post(f"{path}/cancellations", {"note": "The letterhead is wrong."})
    assert (cancelled["status"], cancelled["progress"]["state"]) == ("cancelled", "cancelled")
    assert cancelled["outcome"]["issued"] == 2
    assert (await office.post(f"{path}/cancellations", {"note": "Again."}, status=409))["code"] == "illegal-move"
    await office.issue()
    assert len(await office.notices()) == len(await office.service.published(DunningNoticeIssuedV1)) == 2
    states = Counter(item["state"] for item in await office.items(run))
    assert states == {"issued": 2, "cancelled": 3}
    last = (await _history(office, path))[-1]
    assert (last["action"], last["detail"]) == ("cancelled", {"note": "The letterhead is wrong.", "issued": 2})
    assert (await office.propose(TODAY))["found"]["proposed"] == 3


async def test_an_approved_run_is_neither_edited_nor_approved_again(office) -> None:
    run = await _proposed(office, 1)
    await _approve(office, run)
    [item] = await office.items(run)
    path = f"dunning-runs/{run['id']}"
    for act, body in ((f"items/{item['receivable_id']}/exclusions", {"note": "late"}), ("approvals", None)):
        assert (await office.post(f"{path}/{act}", body, status=409))["code"] == "illegal-move"
    assert (await office.post(f"{path}/resumptions", {"note": "Go."}, status=409))["code"] == "illegal-move"


async def test_a_run_whose_issuing_failed_is_resumed(office, monkeypatch) -> None:
    run = await _proposed(office, 3)
    await _approve(office, run)

    async def breaks(*_: Any, **__: Any) -> None:
        raise ValueError("a fault of ours")

    with monkeypatch.context() as broken:
        broken.setattr(issuing, "retest", breaks)
        for _ in range(MOST_ATTEMPTS + 1):
            await take_turn(issuing.ISSUE_NOTICES, office.service.runtime)
    path = f"dunning-runs/{run['id']}"
    failed = await office.get(path)
    assert (failed["status"], failed["progress"]["state"]) == ("issuing", "failed")
    assert failed["progress"]["error"]["code"] == "dunning-run-broke"
    resumed = await office.post(f"{path}/resumptions", {"note": "The service was corrected."}, status=202)
    assert resumed["progress"]["state"] == "waiting"
    await office.issue()
    assert (await office.get(path))["outcome"]["issued"] == 3
    actions = [(change["action"], change["reason"]) for change in await _history(office, path)]
    assert actions[2:] == [("issuing failed", "dunning-run-broke"), ("resumed", None), ("issued", None)]


async def test_a_worker_killed_in_the_middle_of_a_slice_loses_and_doubles_no_notice(racing_office) -> None:
    office = racing_office
    run = await _proposed(office, 60)
    await _approve(office, run)
    url, now = driver_url(office.service.runtime.settings.database_url), office.service.now.isoformat()
    for _ in range(2):
        before = await _count(office, "dunning_notice")
        worker = await asyncio.create_subprocess_exec(sys.executable, str(PROCESS), url, now)
        try:
            async with asyncio.timeout(60):
                while await _count(office, "dunning_notice") < before + 6:
                    assert worker.returncode is None
                    await asyncio.sleep(0.005)
        finally:
            worker.kill()
            await worker.wait()
    issued = await _count(office, "dunning_notice")
    half = await office.get(f"dunning-runs/{run['id']}")
    assert (half["status"], half["progress"]["done"], half["outcome"]["issued"]) == ("issuing", issued, issued)
    assert 0 < issued < 60
    await office.issue()
    done = await office.get(f"dunning-runs/{run['id']}")
    assert (done["status"], done["outcome"]["issued"], done["progress"]["done"]) == ("issued", 60, 60)
    events = await office.service.published(DunningNoticeIssuedV1)
    assert len({event.receivable_id for event in events}) == len(events) == 60
    assert await _count(office, "dunning_notice") == 60
    assert await _count(office, "receivable WHERE dunning_level = 1") == 60
    assert await _count(office, "change WHERE action = 'notice issued'") == 60


async def _count(office, rows: str) -> int:
    async with office.service.runtime.sessions() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {rows}")))
