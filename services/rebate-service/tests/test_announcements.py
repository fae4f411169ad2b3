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
from rebate_service.rebates.announcements import earned_json
from rebate_service.rebates.entry import Entry, Facts, entry_of
from rebate_service.rebates.linear import Share
from rebate_service.rebates.rules import Payment

AT = datetime(2026, 3, 11, 9, 30, 0, 123456, tzinfo=UTC)
RATES = st.sampled_from([Decimal(rate) for rate in ("0", "5", "5.0", "20", "17.5")])
PENCE = st.integers(-(10**9), 10**9)


@st.composite
def earned(draw: st.DrawFn) -> Entry:
    terms = Terms(
        draw(st.decimals("0.01", "2", places=2)),
        10,
        60,
        draw(st.sampled_from(ClockStart)),
        draw(st.sampled_from(ClockEnd)),
        draw(st.sampled_from(RebateBase)),
        draw(st.sampled_from(VatMode)),
        Collection.DEDUCT_AT_SOURCE,
    )
    version = VersionInForce(new_id(), draw(st.integers(1, 9)), date(2026, 1, 1), None, terms)
    facts = Facts(
        new_id(),
        new_id(),
        new_id(),
        "INV-1",
        date(2026, 3, 2),
        draw(st.none() | st.dates(date(2026, 3, 1), date(2026, 3, 20))),
        Payment(date(2026, 3, draw(st.integers(2, 30))), None, draw(st.integers(0, 10**9)), False),
        draw(st.booleans()),
        draw(st.lists(st.builds(Share, RATES, PENCE, PENCE), min_size=1, max_size=3)),
    )
    return entry_of(facts, version, at=AT, version=draw(st.integers(1, 99)))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(earned(), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_text_is_what_the_model_writes(entry: Entry, by: str) -> None:
    written = earned_json(entry, at=AT, by=by)
    event = RebateEarnedV1.model_validate_json(written)
    assert set(event.model_fields_set) == set(RebateEarnedV1.model_fields)
    assert event.model_dump_json() == written
    assert (event.rebate_id, event.by, event.occurred_at) == (entry.id, by, AT)
    for name in set(RebateEarnedV1.model_fields) & set(Entry._fields) - {"version"}:
        assert getattr(event, name) == getattr(entry, name), name
    # payables.md §1.3: what is printed for each VAT rate sums to what is taken.
    assert event.parts is not None
    assert sum(part.net_pence for part in event.parts) == event.rebate_net_pence
    assert sum(part.vat_pence for part in event.parts) == event.rebate_vat_pence
