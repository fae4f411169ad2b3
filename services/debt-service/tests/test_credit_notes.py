"""Cancelling what is outstanding by a credit note, and its VAT."""

from datetime import date
from fractions import Fraction
from math import floor

import pytest
from council_common.contracts.debts import ReceivableCancelledV1, ReceivableCreditedV1
from council_common.ids import new_id
from debt_service.ledger.receivables.rules import OpenItem, ReceivableStatus, vat_share
from hypothesis import given
from hypothesis import strategies as st

DUE = date(2026, 4, 10)


async def test_cancelling_takes_back_what_is_outstanding(office) -> None:
    customer = await office.customer()
    lines = [{"description": "Bins", "net_pence": 100_00, "vat_rate": "20", "vat_pence": 20_00}]
    raised = await office.receivable(customer, 120_00, due_on=DUE, lines=lines)
    await office.receipt(60_00, payer_reference=raised["number"])
    cancelled = await office.cancel(raised, "raised_in_error")
    assert (cancelled["status"], cancelled["outstanding_pence"]) == ("cancelled", 0)
    [event] = await office.service.published(ReceivableCancelledV1)
    assert (event.cancelled_pence, event.version, event.reason) == (60_00, 3, "raised_in_error")
    balances = {
        account["account"]: account["balance_pence"] for account in (await office.get("control-accounts"))["accounts"]
    }
    assert (balances["income"], balances["vat_output"], balances["bank"]) == (-50_00, -10_00, 60_00)
    again = await office.cancel(raised, "other", status=409)
    assert again["code"] == "illegal-move"
    await office.check_books()


async def test_why_a_charge_was_cancelled_is_published_as_a_code(office) -> None:
    """Events carry no free text: what the officer wrote stays in the history."""
    raised = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    path = f"receivables/{raised['id']}/cancellations"
    written = "Mrs Smith of 4 High St died on 3 March"
    refused = await office.post(path, {"reason": written, "note": "x"}, status=422)
    assert refused["errors"][0]["field"] == "reason"
    await office.post(path, {"reason": "other", "note": written})
    [event] = await office.service.published(ReceivableCancelledV1)
    assert event.reason == "other"
    last = (await office.all_items(f"receivables/{raised['id']}/history"))[-1]
    assert (last["action"], last["reason"], last["detail"]["note"]) == ("cancelled", "other", written)


async def test_credit_notes_never_take_back_more_vat_than_was_charged(office) -> None:
    """120.00 with 20.00 of VAT: 89.97 is cancelled, the receipt of 30.03 bounces, the rest is cancelled as well.

    By themselves the two hold 14.995 and 5.005: half up that is 20.01.
    """
    lines = [{"description": "Bins", "net_pence": 100_00, "vat_rate": "20", "vat_pence": 20_00}]
    raised = await office.receivable(await office.customer(), 120_00, due_on=DUE, lines=lines)
    receipt = await office.receipt(30_03, payer_reference=raised["number"])
    path = f"receivables/{raised['id']}/cancellations"
    await office.post(path, {"reason": "raised_in_error", "note": "an error"})
    await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    await office.post(path, {"reason": "raised_in_error", "note": "an error"})
    cancelled = [change["detail"] for change in await office.all_items(f"receivables/{raised['id']}/history")]
    assert [detail["vat_pence"] for detail in cancelled if "vat_pence" in detail] == [15_00, 5_00]
    balances = {
        account["account"]: account["balance_pence"] for account in (await office.get("control-accounts"))["accounts"]
    }
    assert (balances["vat_output"], balances["income"], balances["receivables_control"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("vat", "part", "gross", "share"),
    [
        (2_28, 1_95, 13_68, 33),  # exactly 32.5p
        (1_56, 2_01, 9_36, 34),  # exactly 33.5p
        (13_00, 51, 78_00, 9),  # exactly 8.5p
        (20_01, 30_03, 120_06, 5_01),  # exactly 500.5p
        (20_00, 60_00, 120_00, 10_00),
    ],
)
def test_the_vat_of_a_part_is_half_up(vat: int, part: int, gross: int, share: int) -> None:
    assert vat_share(vat, part, gross) == share


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.data())
def test_the_vat_of_a_part_is_the_nearest_penny(net: int, vat: int, data: st.DataObject) -> None:
    gross = net + vat
    part = data.draw(st.integers(1, gross))
    assert vat_share(vat, part, gross) == floor(Fraction(vat * part, gross) + Fraction(1, 2))


async def test_a_charge_is_credited_in_part_and_the_rest_stays_owed(office) -> None:
    """120.00 with 20.00 of VAT, of which a fifth was not delivered."""
    lines = [{"description": "Bins", "net_pence": 100_00, "vat_rate": "20", "vat_pence": 20_00}]
    raised = await office.receivable(await office.customer(), 120_00, due_on=DUE, lines=lines)
    path = f"receivables/{raised['id']}/credits"
    body = {"amount_pence": 24_00, "reason": "service_not_given", "note": "one week of five"}
    credited = await office.post(path, body)
    assert (credited["status"], credited["outstanding_pence"], credited["gross_pence"]) == ("open", 96_00, 120_00)
    [event] = await office.service.published(ReceivableCreditedV1)
    assert (event.credited_pence, event.outstanding_pence, event.reason) == (24_00, 96_00, "service_not_given")
    accounts = (await office.get("control-accounts"))["accounts"]
    balances = {account["account"]: account["balance_pence"] for account in accounts}
    assert (balances["income"], balances["vat_output"]) == (-80_00, -16_00)
    last = (await office.all_items(f"receivables/{raised['id']}/history"))[-1]
    assert (last["action"], last["detail"]["vat_pence"], last["detail"]["note"]) == ("credited", 4_00, body["note"])
    await office.check_books()
    # The rest is paid: settled; and nothing is left to credit.
    await office.receipt(96_00, payer_reference=raised["number"])
    assert (await office.get(f"receivables/{raised['id']}"))["status"] == "settled"
    assert (await office.post(path, body, status=409))["code"] == "illegal-move"


async def test_no_more_is_credited_than_is_owed_and_all_of_it_cancels(office) -> None:
    raised = await office.receivable(await office.customer(), 100_00, due_on=DUE)
    await office.receipt(60_00, payer_reference=raised["number"])
    path = f"receivables/{raised['id']}/credits"
    body = {"amount_pence": 40_01, "reason": "wrong_amount", "note": "half the pitch"}
    refused = await office.post(path, body, status=409)
    assert (refused["code"], refused["errors"][0]["field"]) == ("over-credited", "amount_pence")
    assert refused["outstanding_pence"] == 40_00
    whole = await office.post(path, {**body, "amount_pence": 40_00})
    assert (whole["status"], whole["outstanding_pence"]) == ("cancelled", 0)
    assert await office.service.published(ReceivableCreditedV1) == []
    [event] = await office.service.published(ReceivableCancelledV1)
    assert event.cancelled_pence == 40_00
    await office.check_books()


@pytest.mark.parametrize(("act", "body"), [("cancellations", {}), ("credits", {"amount_pence": 1})])
async def test_who_takes_back_a_charge_says_why(office, act: str, body: dict[str, int]) -> None:
    raised = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    path = f"receivables/{raised['id']}/{act}"
    refused = await office.post(path, {"reason": "other", **body}, status=422)
    assert refused["errors"][0]["field"] == "note"


@given(gross=st.integers(1, 10_000), vat=st.integers(0, 2_000), parts=st.lists(st.integers(1, 10_000), max_size=6))
def test_credits_in_parts_take_back_the_vat_of_their_sum(gross: int, vat: int, parts: list[int]) -> None:
    vat = min(vat, gross)
    item = OpenItem(
        new_id(), new_id(), "R1", "bins", "sundry", DUE, DUE, 1, gross, vat, gross, ReceivableStatus.OPEN, None, None
    )
    taken, taken_vat = 0, 0
    for part in [*parts, None]:
        if item.outstanding_pence == 0 or (part or 0) > item.outstanding_pence:
            continue
        pence, of_vat = item.credit(part, credited_pence=taken, credited_vat_pence=taken_vat)
        taken, taken_vat = taken + pence, taken_vat + of_vat
        assert of_vat >= 0
        assert taken_vat == vat_share(vat, taken, gross)
    assert (taken, taken_vat, item.status) == (gross, vat, ReceivableStatus.CANCELLED)
