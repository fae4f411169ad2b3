"""Invented firms, people and places. Every address is under `.example`, which RFC 2606 reserves."""

from __future__ import annotations

from random import Random

SECTORS = (
    ("adult_social_care", "Adult social care"),
    ("construction", "Construction and highways"),
    ("education", "Education and training"),
    ("energy", "Energy and utilities"),
    ("facilities", "Facilities and cleaning"),
    ("ict", "Information technology"),
    ("professional", "Professional services"),
    ("transport", "Passenger transport"),
)
TRADES = {
    "adult_social_care": ("Homecare", "Care Partners", "Day Centres"),
    "construction": ("Paving", "Civil Works", "Roofing"),
    "education": ("Tutors", "Learning", "Nurseries"),
    "energy": ("Power", "Heating Oil", "Boilers"),
    "facilities": ("Cleaning", "Grounds Care", "Catering"),
    "ict": ("Networks", "Software", "Data Centres"),
    "professional": ("Surveyors", "Consulting", "Translations"),
    "transport": ("Coaches", "Taxis", "Minibuses"),
}
DEPARTMENTS = ("adults", "childrens", "corporate", "culture", "environment", "highways", "housing", "planning")
DEPARTMENTS_THAT_CHARGE = ("commercial_waste", "adult_care_charges", "property_rents", "licensing", "markets")

_PLACES = (
    *("Ardley", "Brindle", "Corrow", "Dunmere", "Elstow", "Farrow", "Glenholt", "Hexley", "Inglebrook", "Jarrold"),
    *("Kelbrook", "Larkfold", "Marwick", "Nethercote", "Orlham", "Penmoor", "Quarley", "Rushfold", "Stanmere"),
    *("Thornwick", "Ulverley", "Venmoor", "Wexholme", "Yarnfold"),
)
_FIRST = (
    *("Ada", "Bashir", "Carys", "Dev", "Esme", "Femi", "Gwen", "Hana", "Idris", "Joan", "Kofi", "Leah", "Mina"),
    *("Noor", "Owen", "Petra", "Rhys", "Sana", "Tomas", "Una", "Viktor", "Wren", "Yusuf", "Zara"),
)
_LAST = (
    *("Abara", "Birch", "Chandra", "Dunn", "Ellery", "Frost", "Gower", "Hale", "Ives", "Jaffri", "Kerr", "Lunn"),
    *("Moss", "Nair", "Okoro", "Pike", "Quill", "Rudd", "Sefton", "Thorne", "Upton", "Vance", "Wilde", "Yorke"),
)
_STREETS = ("Mill Lane", "Station Yard", "Chapel Street", "Weir Road", "Orchard Close", "Market Place")
_VAT_WEIGHTS = (8, 7, 6, 5, 4, 3, 2)


def firm_name(chance: Random, sector: str, number: int) -> str:
    """A supplier's name; place and trade alone would repeat.

    >>> firm_name(Random(1), "energy", 7).startswith("Hexley ")
    True
    """
    return f"{_PLACES[number % len(_PLACES)]} {chance.choice(TRADES[sector])} {chance.choice(_LAST)} Ltd"


def person_name(chance: Random) -> str:
    return f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"


def place(number: int) -> str:
    return _PLACES[number % len(_PLACES)]


def street_address(chance: Random, number: int) -> tuple[str, ...]:
    """The lines of an address without its postcode."""
    return (f"{chance.randint(1, 98)} {chance.choice(_STREETS)}", place(number))


def postcode(chance: Random) -> str:
    """A postcode of the right shape: TR is a real area, its ninetieth district is not."""
    return f"TR{chance.randint(90, 99)} {chance.randint(1, 9)}{chance.choice('ABDEFG')}{chance.choice('HJLNPQ')}"


def vat_number(chance: Random) -> str:
    """Nine digits with right check digits (weights 8 to 2, sum with the check digits divisible by 97).

    Source: HMRC, VAT Registration Manual, the check digits of a VAT number (modulus 97).
    """
    digits = str(chance.randint(1_000_000, 9_999_999))
    weighted = sum(weight * int(digit) for weight, digit in zip(_VAT_WEIGHTS, digits, strict=True))
    return f"GB{digits}{-weighted % 97:02d}"


def slug(name: str) -> str:
    """A name as part of an e-mail address.

    >>> slug("Ardley Paving Moss Ltd")
    'ardley-paving-moss-ltd'
    """
    return "-".join("".join(char for char in word if char.isalnum()) for word in name.lower().split())
