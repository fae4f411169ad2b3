from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from council_common.contact_details.email_addresses import usable_email_address
from council_common.contact_details.postal_addresses import letter_address, normal_postcode
from hypothesis import given
from hypothesis import strategies as st
from notification_service.recipients.rules import Contact, NoAddress, Recipient, email_address, warned_addresses

SHARED = Path(os.environ.get("COUNCIL_SHARED", Path(__file__).parents[4] / "shared"))


@pytest.fixture(scope="module")
def vectors() -> dict[str, list[str]]:
    path = SHARED / "data" / "notifications" / "recipient_vectors.json"
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip(f"{path} is not beside this checkout (COUNCIL_SHARED names another place)")
    vectors: dict[str, list[str]] = json.loads(path.read_text())
    return vectors


@pytest.mark.real_data
def test_the_published_addresses_can_be_written_to(vectors: dict[str, list[str]]) -> None:
    for address in vectors["valid_email_addresses"]:
        usable = usable_email_address(address)
        assert usable is not None, address
        assert usable.isascii()


@pytest.mark.real_data
def test_a_telephone_number_is_no_address(vectors: dict[str, list[str]]) -> None:
    for name in ("valid_uk_mobile_phone_numbers", "valid_international_phone_numbers", "valid_uk_landlines"):
        assert not any(usable_email_address(number) for number in vectors[name])


@pytest.mark.parametrize(
    "address",
    [  # alphagov/notifications-utils, tests/test_recipient_validation.py
        "email@123.123.123.123",
        "email@[123.123.123.123]",
        "plainaddress",
        "@no-local-part.com",
        "Outlook Contact <outlook-contact@domain.com>",
        "no-tld@domain",
        ";beginning-semicolon@domain.co.uk",
        "trailing-semicolon@domain.com;",
        '"quoted-local-part"@domain.com',
        "lots-of-dots@domain..gov..uk",
        "two-dots..in-local@domain.com",
        "multiple@domains@domain.com",
        "spaces in local@domain.com",
        "underscores-in-domain@dom_ain.com",
        "pound-sign-in-local£@domain.com",
        "domain-starts-with-a-dot@.domain.com",
        "brackets(in)local@domain.com",
        f"too-long-{'a' * 320}@domain.com",
        "one@domain.com,two@domain.com",
        "line@domain.com\r\nBcc: other@domain.com",
        "",
        "jo@example.org.",
        "mailto:jo@example.org",
        "‹jo@example.org>",
        "jo@ｅxample.org",
        "jo@example。org",
        "jo@xn--zzzzzz99999.com",
        "jo @example.org",
        "jo@example.org (Jo)",
        "jo@-example.org",
        "jo@example-.org",
        "jo@exa_mple.org",
        "jo@example.o",
        "jo@example.123",
        f"{'a' * 65}@example.org",
        "jo’s@example.org",
        "jo@example,org",
        "jo;@example.org",
    ],
)
def test_what_is_no_address(address: str) -> None:
    assert usable_email_address(address) is None


@given(st.text(max_size=60))
def test_a_usable_address_is_one_ascii_word(text: str) -> None:
    for candidate in (text, f"{text}@domain.com", f"a@{text}.com"):
        usable = usable_email_address(candidate)
        assert usable is None or (usable.isascii() and usable.isprintable() and " " not in usable)


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("SW1A 1AA", "SW1A 1AA"),
        ("sw1a1aa", "SW1A 1AA"),
        ("M1 1AE", "M1 1AE"),
        ("B33 8TH", "B33 8TH"),
        ("CR2 6XH", "CR2 6XH"),
        ("DN55 1PT", "DN55 1PT"),
        ("W1A 0AX", "W1A 0AX"),
        ("EC1A 1BB", "EC1A 1BB"),
        ("GIR 0AA", None),
        ("E1 OAA", None),
        ("ZZ1 1AA", None),
        ("AI1 1AA", None),
        ("BFPO 58", "BFPO 58"),
        ("Q1 1AA", None),
        ("SW1A 1CA", None),
        ("SW1A 1A", None),
        ("12345", None),
        ("", None),
    ],
)
def test_postcodes(given: str, printed: str | None) -> None:
    assert normal_postcode(given) == printed


@pytest.mark.parametrize(
    ("lines", "postcode", "printed"),
    [
        (["1 High Street", "Kent"], "tn23 1aa", ["A Name", "1 High Street", "Kent", "TN23 1AA"]),
        (["1 High Street", "TN23 1AA"], None, ["A Name", "1 High Street", "TN23 1AA"]),
        (["1 High Street", "TN23 1AA"], "TN23 1AA", ["A Name", "1 High Street", "TN23 1AA"]),
        (["  1   High Street ", "", "\n"], "TN23 1AA", ["A Name", "1 High Street", "TN23 1AA"]),
        ([], "TN23 1AA", None),
        (["1", "2", "3", "4", "5"], "TN23 1AA", ["A Name", "1", "2", "3", "4", "5", "TN23 1AA"]),
        (["1", "2", "3", "4", "5", "6"], "TN23 1AA", None),
        (["No fixed abode", "Kent"], "TN23 1AA", None),
        (["=1+1", "Kent"], "TN23 1AA", None),
        (["1 High Street", "Kent\x00"], "TN23 1AA", None),
        # GOV.UK Notify: the last line is a real UK postcode or a country.
        (["1 High Street", "France"], None, ["A Name", "1 High Street", "FRANCE"]),
        (
            ["12 rue de la Paix", "75002 Paris", "france"],
            None,
            ["A Name", "12 rue de la Paix", "75002 Paris", "FRANCE"],
        ),
        (["1 Eden Quay", "Dublin"], "D01 F5P2", None),
        (["1 Eden Quay", "Dublin", "Ireland"], "D01 F5P2", ["A Name", "1 Eden Quay", "Dublin", "D01 F5P2", "IRELAND"]),
        (["Le Bourg", "Côte d’Ivoire"], "", ["A Name", "Le Bourg", "CÔTE D’IVOIRE"]),
        (["1 High Street", "Kent", "United Kingdom"], "TN23 1AA", ["A Name", "1 High Street", "Kent", "TN23 1AA"]),
        (["1 High Street", "TN23 1AA", "England"], None, ["A Name", "1 High Street", "TN23 1AA"]),
        (["1 High Street", "Atlantis"], None, None),
        # As people write them; the names of ISO 3166-1 are others.
        (["1 Eden Quay", "Cork", "Eire"], None, ["A Name", "1 Eden Quay", "Cork", "EIRE"]),
        (["1 Main Street", "Springfield", "U.S.A."], None, ["A Name", "1 Main Street", "Springfield", "U.S.A."]),
        (["1 Dam", "Amsterdam", "The Netherlands"], None, ["A Name", "1 Dam", "Amsterdam", "THE NETHERLANDS"]),
        (["Calle 1", "La Paz", "Bolivia"], None, ["A Name", "Calle 1", "La Paz", "BOLIVIA"]),
        (["Calle 1", "La Paz", "Bolivia, Plurinational State of"], None, None),
        (["1 High Street", "Kent", "UK"], "TN23 1AA", ["A Name", "1 High Street", "Kent", "TN23 1AA"]),
        # The Crown dependencies have UK postcodes, and need them.
        (
            ["1 The Parade", "St Helier", "Jersey"],
            "JE2 3AB",
            ["A Name", "1 The Parade", "St Helier", "Jersey", "JE2 3AB"],
        ),
        (["1 The Parade", "St Helier", "Jersey"], None, None),
        (["1 The Strand", "Douglas", "Isle of Man"], None, None),
        (["France"], None, None),
        # A county after the postcode: which line the postcode is, is beyond doubt.
        (["1 High Street", "TN23 1AA", "Kent"], None, ["A Name", "1 High Street", "Kent", "TN23 1AA"]),
        (["1 High Street", "TN23 1AA", "Kent"], "TN23 1AB", None),
        (["1 High Street", "Kent TN23 1AA"], None, None),
        (["1 High Street", "London"], "E1 OAA", None),
        (["1 High Street", "Ash,ford ,"], "TN23 1AA", ["A Name", "1 High Street", "Ash,ford", "TN23 1AA"]),
        (["NFA", "Kent"], "TN23 1AA", None),
        (["Care of no fixed address", "Kent"], "TN23 1AA", None),
        (["HMS Nowhere", "BFPO 58"], None, ["A Name", "HMS Nowhere", "BFPO 58"]),
        (["HMS Nowhere", "BFPO 58", "Cyprus"], None, None),
        (["1 Long Lane", "Georgia"], "TN23 1AA", ["A Name", "1 Long Lane", "Georgia", "TN23 1AA"]),
    ],
)
def test_three_to_seven_lines_the_last_a_postcode_or_a_country(
    lines: list[str], postcode: str | None, printed: list[str] | None
) -> None:
    if printed is None:
        with pytest.raises(ValueError, match="expected"):
            letter_address("A Name", lines, postcode)
    else:
        assert letter_address("A Name", lines, postcode) == printed


def test_the_contact_for_remittances_comes_first() -> None:
    contacts = (
        Contact("g@x.example", "general"),
        Contact("wrong", "remittance"),
        Contact("a@x.example", "accounts"),
        Contact("o@x.example", "orders"),
    )
    assert email_address(Recipient("X Ltd", contacts=contacts)) == "a@x.example"
    with pytest.raises(NoAddress, match="no_address"):
        email_address(Recipient("X Ltd"))


def test_every_contact_is_warned_once() -> None:
    contacts = ["g@x.example", "G@X.example", " a@müller.example ", "wrong"]
    assert warned_addresses(contacts) == ["g@x.example", "a@xn--mller-kva.example", "wrong"]
    with pytest.raises(NoAddress, match="no_address"):
        warned_addresses([])
