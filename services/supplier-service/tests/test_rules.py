import doctest
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from types import ModuleType

import pytest
from council_common.calendar import is_working_day
from council_common.contact_details.email_addresses import email_address
from council_common.errors import IllegalMove
from hypothesis import example, given
from hypothesis import strategies as st
from supplier_service.bank_account_changes import rules as changes
from supplier_service.bank_account_changes.rules import BankAccountChangeStatus
from supplier_service.bank_accounts import rules as bank_accounts
from supplier_service.bank_accounts.rules import (
    BankDetails,
)
from supplier_service.onboardings import rules as onboardings
from supplier_service.suppliers import identifiers
from supplier_service.suppliers import rules as suppliers
from supplier_service.suppliers.identifiers import (
    company_number,
    phone_digits,
    phone_number,
    vat_number,
)

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize("module", [bank_accounts, changes, identifiers, onboardings, suppliers])
def test_the_examples_in_the_rules_hold(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert (result.failed, result.attempted > 0) == (0, True)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        # weights 8 7 6 5 4 3 2 10 1, modulo 97
        ("980780684", "980780684"),
        ("GB 980 7806 84", "980780684"),
        ("xi980780684", "980780684"),
        ("980780684001", "980780684001"),  # a branch
        ("GB 220 4302 31", "220430231"),  # Tesco PLC, as printed on its receipts
        ("GD001", "GD001"),
        ("GB GD499", "GD499"),
        ("HA500", "HA500"),
        ("IE 1234567T", "IE1234567T"),
        ("de 123 456 788", "DE123456788"),
        ("GR123456783", "EL123456783"),
        ("NL123456782B12", "NL123456782B12"),
        ("CHE-123.456.788 MWST", "CHE123456788MWST"),
    ],
)
def test_vat_numbers(written: str, number: str) -> None:
    assert vat_number(written) == number


@pytest.mark.parametrize(
    "wrong",
    [
        "802311781",
        "980780685",
        "GD500",
        "HA499",
        "98078068",
        "IE638804V",
        "DE12345678",
        "ZZ123456789",
        "",
        "GB",
        "٩٨٠٧٨٠٦٨٤",
        "000000001",
        "000000000",
    ],
)
def test_no_vat_numbers(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"VAT number.*expected"):
        vat_number(wrong)


def _check_sum(digits: str) -> int:
    return sum(w * int(d) for w, d in zip((8, 7, 6, 5, 4, 3, 2), digits, strict=True))


@given(st.integers(0, 9_999_999), st.sampled_from([0, 42, 55]))
def test_every_body_has_its_check_digits(body: int, remainder: int) -> None:
    digits = f"{body:07}"
    pair = (remainder - _check_sum(digits)) % 97
    number = f"{digits}{pair:02}"
    if (remainder == 0 or body >= 1_000_000) and number != "000000000":
        assert vat_number(number) == number
    wrong = f"{digits}{(pair + 1) % 97:02}"
    with pytest.raises(ValueError, match="check digits"):
        vat_number(wrong)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("00445790", "00445790"),
        ("445790", "00445790"),
        ("sc123456", "SC123456"),
        ("NI 012345", "NI012345"),
        ("OC301234", "OC301234"),
        ("RS007CUS", "RS007CUS"),
        ("IP12345R", "IP12345R"),
        ("CE012345", "CE012345"),
        ("OE012345", "OE012345"),
        ("R0000123", "R0000123"),
    ],
)
def test_company_numbers(written: str, number: str) -> None:
    assert company_number(written) == number


@pytest.mark.parametrize("wrong", ["XX123456", "123456789", "SC12345", "00000000", "0", "", "SC1234567", "12345678x"])
def test_no_company_numbers(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a company number"):
        company_number(wrong)


@pytest.mark.parametrize("right", ["a@b.co", "first.last+ap@sub.council.gov.uk", "o'neil@ardley-paving.co.uk"])
def test_email_addresses(right: str) -> None:
    assert email_address(right) == right


@pytest.mark.parametrize(
    "wrong",
    [
        "a",
        "a@b",
        "a@b..co",
        "a b@c.co",
        "a@b.co\nBcc: x@y.co",
        ".a@b.co",
        "a..b@c.co",
        "<a@b.co>",
        "a@-b.co",
        "a@b@c.co",
    ],
)
def test_no_email_addresses(wrong: str) -> None:
    with pytest.raises(ValueError, match="not an e-mail address"):
        email_address(wrong)


@pytest.mark.parametrize("wrong", ["", "12345", "01603 CALL ME", "1" * 16, "+"])
def test_no_phone_numbers(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a telephone number"):
        phone_number(wrong)


@given(st.from_regex(r"[0-9]{6}", fullmatch=True), st.from_regex(r"[0-9]{8}", fullmatch=True))
def test_a_mask_and_a_representation_hide_the_rest(sort: str, number: str) -> None:
    shown = BankDetails(sort, number).masks()
    assert [sum(sign.isdigit() for sign in mask) for mask in shown] == [2, 4]
    assert repr(BankDetails(sort, number, "A")) == "BankDetails()"


@pytest.mark.parametrize(
    ("changed_on", "lately"),
    [(None, False), (date(2025, 12, 11), False), (date(2025, 12, 12), True), (date(2026, 3, 11), True)],
)
def test_a_name_proves_something_after_ninety_days(changed_on: date | None, lately: bool) -> None:
    found = changes.name_changed_lately(changed_on, requested_on=date(2026, 3, 11))
    assert found == (changed_on if lately else None)


def test_every_state_is_reached_and_ends_are_ends() -> None:
    for states, ends in (
        (suppliers.NEXT, {suppliers.SupplierStatus.MERGED, suppliers.SupplierStatus.CLOSED}),
        (changes.NEXT, {BankAccountChangeStatus.ACTIVE, BankAccountChangeStatus.REJECTED}),
        (onboardings.NEXT, set()),
    ):
        assert {state for state, following in states.items() if not following} == ends
        reached = set().union(*states.values())
        assert set(states) - reached <= {BankAccountChangeStatus.REQUESTED, onboardings.Stage.PROSPECT}


@pytest.mark.parametrize("current", list(BankAccountChangeStatus))
@pytest.mark.parametrize("wanted", list(BankAccountChangeStatus))
def test_moves_of_a_bank_account_change(current: BankAccountChangeStatus, wanted: BankAccountChangeStatus) -> None:
    s = BankAccountChangeStatus
    legal = {
        s.REQUESTED: {s.EVIDENCE, s.REJECTED},
        s.EVIDENCE: {s.EVIDENCE, s.CALLED_BACK, s.REJECTED},
        s.CALLED_BACK: {s.EVIDENCE, s.CALLED_BACK, s.APPROVED, s.REJECTED},
        s.APPROVED: {s.ACTIVE, s.REJECTED},
    }
    if wanted in legal.get(current, set()):
        assert changes.move(current, wanted) is wanted
    else:
        with pytest.raises(
            IllegalMove, match="already" if current == wanted else f"{current} and cannot become {wanted}"
        ):
            changes.move(current, wanted)


@pytest.mark.parametrize(
    ("approved_on", "until"),
    [
        (date(2026, 3, 11), date(2026, 3, 16)),
        (date(2026, 3, 13), date(2026, 3, 18)),
        (date(2026, 4, 1), date(2026, 4, 8)),  # over Good Friday and Easter Monday
        (date(2026, 12, 23), date(2026, 12, 30)),  # Boxing Day on the Monday
    ],
)
def test_cooling_off(approved_on: date, until: date) -> None:
    assert changes.cooling_off_until(approved_on) == until


@given(DAYS)
def test_cooling_off_is_three_working_days_and_not_over_on_its_last(day: date) -> None:
    until = changes.cooling_off_until(day)
    assert is_working_day(until)
    days = [day + timedelta(days=offset) for offset in range(1, (until - day).days + 1)]
    assert sum(map(is_working_day, days)) == 3
    assert not changes.may_activate(BankAccountChangeStatus.APPROVED, until, today=until)
    assert changes.may_activate(BankAccountChangeStatus.APPROVED, until, today=until + timedelta(days=1))


@given(DAYS, st.integers(0, 400), st.integers(0, 400))
def test_a_trusted_number_is_ninety_days_old_and_older_than_the_case(held: date, age: int, called: int) -> None:
    requested_on = held + timedelta(days=age)
    called_on = requested_on + timedelta(days=called)
    trusted = age > 0 and age + called >= 90
    try:
        changes.must_be_trusted(held, requested_on=requested_on, called_on=called_on)
    except changes.NumberNotTrusted:
        assert not trusted
    else:
        assert trusted


def test_no_number_is_not_trusted() -> None:
    with pytest.raises(changes.NumberNotTrusted):
        changes.must_be_trusted(None, requested_on=date(2026, 3, 1), called_on=date(2026, 3, 2))


def test_a_number_keeps_its_day_under_whichever_contact_it_is_written() -> None:
    def contact(name: str, phone: str | None, since: date | None = None) -> suppliers.Contact:
        return suppliers.Contact(name, None, phone, suppliers.ContactPurpose.GENERAL, since)

    held = [contact("A", "01603 555010", date(2019, 4, 1)), contact("B", "+441603555010", date(2018, 1, 1))]
    today = date(2026, 3, 11)
    wanted = [contact("C", "(01603) 555 010"), contact("A", "01603 555011", date(2001, 1, 1)), contact("D", None)]
    dated = suppliers.with_phone_dates(wanted, held, today=today)
    assert [one.phone_since for one in dated] == [date(2018, 1, 1), today, None]


@given(st.sampled_from(["+44 (0)1603 555010", "0044 1603 555 010", "01603-555010"]))
def test_one_number_written_in_three_ways(written: str) -> None:
    assert phone_digits(written) == "01603555010"


@given(st.integers(1, 365), st.integers(0, 365), st.integers(0, 10_000))
@example(30, 29, 4_00)
@example(30, 10, 66_66)
def test_terms_earn_by_paying_early(term_days: int, target_day: int, hundredths: int) -> None:
    # On the day of receipt at most all there is, and nothing at all where the rate is zero (FreePay).
    sound = target_day < term_days and 0 <= Fraction(hundredths, 100 * (term_days - target_day)) * term_days <= 100
    rate = Decimal(hundredths) / 100
    try:
        onboardings.check_terms(term_days=term_days, target_day=target_day, reference_rate_percent=rate)
    except onboardings.UnsoundTerms as refused:
        assert not sound
        assert {error.field for error in refused.errors} <= {"terms.target_day", "terms.reference_rate_percent"}
        assert all(error.expected for error in refused.errors)
    else:
        assert sound
