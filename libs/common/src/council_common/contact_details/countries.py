"""Countries and territories a letter from the United Kingdom can be posted to, by their English names.

The names of ISO 3166-1 (pycountry) and those in everyday use that it does not have. The United Kingdom's own and the
Crown dependencies' are left out: letters there end with a UK postcode (Royal Mail's Postcode Address File covers
Jersey, Guernsey and the Isle of Man). Matched without case, accents, full stops and a leading "the".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

import pycountry

_WITH_UK_POSTCODES = frozenset({"GB", "IM", "JE", "GG"})
_EVERYDAY = """
Ascension Island; Bonaire; Brunei; Burma; Cape Verde; Cocos Islands; Democratic Republic of the Congo; East Timor;
Eire; Falkland Islands; Holland; Holy See; Ivory Coast; Kosovo; Lao; Macau; Micronesia; Palestine; Pitcairn Islands;
Republic of Ireland; Russia; Saba; Saint Helena; Saint Martin; Sint Eustatius; Sint Maarten; St Helena;
St Kitts and Nevis; St Lucia; St Vincent and the Grenadines; Svalbard; Swaziland; Tristan da Cunha; Turkey; UAE;
United States Virgin Islands; US Virgin Islands; USA; Vatican City
"""
_UNITED_KINGDOM = "United Kingdom; UK; Great Britain; GB; England; Scotland; Wales; Northern Ireland"


def _plain(name: str) -> str:
    """As names are compared.

    >>> _plain("The Gambia"), _plain("U.S.A."), _plain("Côte d’Ivoire")
    ('gambia', 'usa', 'cote divoire')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    words = re.sub(r"[^a-z &-]", "", letters).replace("&", "and").split()
    return " ".join(words).removeprefix("the ")


def _listed(names: str) -> frozenset[str]:
    return frozenset(_plain(name) for name in names.replace("\n", " ").split(";"))


def _of_iso_3166() -> Iterator[str]:
    for country in pycountry.countries:
        if country.alpha_2 not in _WITH_UK_POSTCODES:
            # Letters do not say "Bolivia, Plurinational State of": it has a common name, too.
            yield from (_plain(name) for name in _names_of(country) if "," not in name)


def _names_of(country: object) -> list[str]:
    kinds = ("name", "common_name", "official_name")
    return [name for kind in kinds if (name := getattr(country, kind, None))]


@cache
def _abroad() -> frozenset[str]:
    return _listed(_EVERYDAY) | frozenset(_of_iso_3166())


_OWN = _listed(_UNITED_KINGDOM)


def is_other_country(line: str) -> bool:
    """Whether a line is the name of a country abroad."""
    return _plain(line) in _abroad()


def is_united_kingdom(line: str) -> bool:
    """Whether a line is the name of the United Kingdom or of a part of it."""
    return _plain(line) in _OWN
