"""`RebateEarnedV1` is written as text by the thousand: that text is the model's own JSON."""

from datetime import UTC, date, datetime
from decimal import Decimal

from council_common.contracts.rebates import RebateEarnedV1
from council_common.ids import new_id
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rebate_service.agreements.rules import (
    ClockEnd,
    ClockStart,
    Collection,
    RebateBase,
    Terms,
    VatMode,
    VersionInForce,
)
from rebate_service.rebates.events import earned_json
from rebate_service.rebates.linear import AmountAtVatRate
from rebate_service.rebates.record import COLUMNS, RebateFacts, RebateRecord, amounts_json, record_of, row_of

AT = datetime(2026, 3, 11, 9, 30, 0, 123456, tzinfo=UTC)
RATES = st.sampled_from([Decimal(rate) for rate in ("0", "5", "5.0", "20", "17.5")])
PENCE = st.integers(-(10**9), 10**9)


@st.composite
def an_earned_rebate(draw: st.DrawFn) -> RebateRecord:
    terms = Terms(
        reference_rate_percent=draw(st.decimals("0.01", "2", places=2)),
        target_day=10,
        term_days=60,
        clock_start=draw(st.sampled_from(ClockStart)),
        clock_end=draw(st.sampled_from(ClockEnd)),
        rebate_base=draw(st.sampled_from(RebateBase)),
        vat_mode=draw(st.sampled_from(VatMode)),
        collection=Collection.DEDUCT_AT_SOURCE,
    )
    version = VersionInForce(
        agreement_id=new_id(),
        number=draw(st.integers(1, 9)),
        effective_from=date(2026, 1, 1),
        effective_to=None,
        terms=terms,
    )
    amounts = st.builds(AmountAtVatRate, vat_rate=RATES, net_pence=PENCE, vat_pence=PENCE)
    whole = draw(st.lists(amounts, min_size=1, max_size=3))
    facts = RebateFacts(
        invoice_id=new_id(),
        supplier_id=new_id(),
        invoice_number="INV-1",
        received_on=date(2026, 3, 2),
        vat_shares=amounts_json(whole),
        part_payment=draw(st.booleans()),
        valid_on=draw(st.none() | st.dates(date(2026, 3, 1), date(2026, 3, 20))),
        payment_id=new_id(),
        remitted_on=date(2026, 3, draw(st.integers(2, 30))),
        deducted_pence=draw(st.integers(0, 10**9)),
    )
    return record_of(facts, whole, version, version=draw(st.integers(1, 99)))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(an_earned_rebate(), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_text_is_what_the_model_writes(record: RebateRecord, by: str) -> None:
    written = earned_json(record, at=AT, by=by)
    event = RebateEarnedV1.model_validate_json(written)
    assert set(event.model_fields_set) == set(RebateEarnedV1.model_fields)
    assert event.model_dump_json() == written
    assert (event.rebate_id, event.by, event.occurred_at) == (record.id, by, AT)
    row = dict(zip(COLUMNS, row_of(record), strict=True))
    for name in set(RebateEarnedV1.model_fields) & set(COLUMNS) - {"version"}:
        assert getattr(event, name) == row[name], name
    # What is printed for each VAT rate sums to what is taken.
    assert event.parts is not None
    assert sum(part.net_pence for part in event.parts) == event.rebate_net_pence
    assert sum(part.vat_pence for part in event.parts) == event.rebate_vat_pence
