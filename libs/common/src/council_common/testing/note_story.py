"""What an officer does with notes, played in every service whose things have them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from council_common.testing.harness import Harness

OUTSIDER = "communications_officer"


async def play_notes(service: Harness, thing: dict[str, Any], resource: str, *, role: str) -> None:
    """A thing's notes: written once, found by their words, corrected by a later one, never changed, in its timeline.

    `resource` is its list (`/v1/suppliers`), `role` may write notes about it.
    """
    path = f"{resource}/{thing['id']}"
    events = len(await service.published())
    async with service.as_(role, "A. Jones") as officer:
        wrong = {"channel": "phone", "words": "Spoke to Mrs Hale: pays on Friday.", "happened_on": "2026-03-10"}
        sent = await officer.post(f"{path}/notes", json=wrong, headers={"idempotency-key": path})
        again = await officer.post(f"{path}/notes", json=wrong, headers={"idempotency-key": path})
        assert (sent.status_code, again.json()) == (201, sent.json()), sent.text
        first = sent.json()
        assert (first["recorded_by_name"], first["happened_on"]) == ("A. Jones", "2026-03-10")
        assert (await officer.get(sent.headers["location"])).json() == first
        right = {"channel": "phone", "words": "It was Mr Hale, 100% sure.", "corrects_id": first["id"]}
        second = (await officer.post(f"{path}/notes", json=right)).json()
        assert second["happened_on"] == "2026-03-11"
        twice = await officer.post(f"{path}/notes", json=right)
        assert (twice.status_code, twice.json()["code"]) == (409, "note-already-corrected")
        await _play_refusals(officer, path, resource)
        assert (await officer.get(f"{path}/notes/{first['id']}")).json()["corrected_by_id"] == second["id"]
        for query, found in (
            ("", [second, first]),
            ("?q=HALE", [second, first]),
            ("?q=100%25", [second]),
            ("?q=0%25s", []),
            ("?current=true", [second]),
            ("?channel=visit", []),
            ("?happened_to=2026-03-10", [first]),
        ):
            listed = (await officer.get(f"{path}/notes{query}")).json()["items"]
            assert [note["id"] for note in listed] == [note["id"] for note in found], query
        page = (await officer.get(f"{path}/notes?limit=1")).json()
        rest = (await officer.get(f"{path}/notes", params={"limit": 1, "cursor": page["next"]})).json()
        assert [note["id"] for note in (*page["items"], *rest["items"])] == [second["id"], first["id"]]
        exported = (await officer.get(f"{path}/notes/export.csv?sort=recorded_at")).content.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(exported)))
        assert [(row["words"], row["recorded_by_name"]) for row in rows] == [
            (wrong["words"], "A. Jones"), (right["words"], "A. Jones"),
        ]  # fmt: skip
        assert [one["id"] for one in (await officer.get(f"{resource}?note=mr+hale")).json()["items"]] == [thing["id"]]
        assert (await officer.get(f"{resource}?note=nobody")).json()["items"] == []
        now = (await officer.get(path)).json()
        history = (await officer.get(f"{path}/history")).json()["items"]
        timeline = (await officer.get(f"{path}/timeline")).json()["items"]
        single = [await _paged(officer, f"{path}/{pages}") for pages in ("timeline", "history")]
    async with service.as_(OUTSIDER) as outsider:
        assert (await outsider.post(f"{path}/notes", json=wrong)).status_code == 403
    assert now["version"] == thing["version"]
    changes = [entry["change"] for entry in timeline if entry["change"]]
    assert changes == history
    assert [entry["note"]["id"] for entry in timeline if entry["note"]] == [first["id"], second["id"]]
    assert single == [timeline, history]
    assert len(await service.published()) == events
    await _play_changes(service, first["id"])


async def _play_refusals(officer: Any, path: str, resource: str) -> None:
    good = {"channel": "email", "words": "Asked for a copy."}
    for changed, status, code in (
        ({"words": "His account is 20-55-41 91734268."}, 422, "bank-account-in-text"),
        ({"words": " "}, 422, "malformed"),
        ({"channel": "pigeon"}, 422, "malformed"),
        ({"happened_on": "2026-03-12"}, 422, "date-in-future"),
        ({"corrects_id": path.rsplit("/", 1)[1]}, 404, "note-not-found"),
    ):
        answer = await officer.post(f"{path}/notes", json=good | changed)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert "91734268" not in answer.text
    nowhere = await officer.post(f"{resource}/0195a1b2-0000-7000-8000-00000000dead/notes", json=good)
    assert (nowhere.status_code, nowhere.json()["code"].endswith("-not-found")) == (404, True)


async def _paged(officer: Any, path: str) -> list[Any]:
    """All of a list, two at a time."""
    items: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await officer.get(path, params={"limit": "2", **cursor})).json()
        assert len(page["items"]) <= 2
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


async def _play_changes(service: Harness, note_id: str) -> None:
    """The database itself refuses to change a note, or to take it away."""
    for statement in ("UPDATE note SET words = 'other' WHERE id = :id", "DELETE FROM note WHERE id = :id"):
        async with service.runtime.sessions() as session:
            with pytest.raises(DBAPIError, match="notes are only added"):
                await session.execute(text(statement), {"id": note_id})
