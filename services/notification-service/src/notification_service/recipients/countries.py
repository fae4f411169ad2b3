"""Countries and territories a letter from the United Kingdom can be posted to, by their English names.

ISO 3166-1 short names as at November 2026 without those of the United Kingdom and the Crown dependencies (which have
UK postcodes), and names in common use. Matched without case, accents, full stops and a leading "the".
"""

from __future__ import annotations

import re
import unicodedata

_NAMES = """
Afghanistan; Aland Islands; Albania; Algeria; American Samoa; Andorra; Angola; Anguilla; Antigua and Barbuda;
Argentina; Armenia; Aruba; Ascension Island; Australia; Austria; Azerbaijan; Bahamas; Bahrain; Bangladesh; Barbados;
Belarus; Belgium; Belize; Benin; Bermuda; Bhutan; Bolivia; Bonaire; Bosnia and Herzegovina; Botswana; Brazil;
British Virgin Islands; Brunei; Brunei Darussalam; Bulgaria; Burkina Faso; Burma; Burundi; Cabo Verde; Cambodia;
Cameroon; Canada; Cape Verde; Cayman Islands; Central African Republic; Chad; Chile; China; Christmas Island;
Cocos Islands; Colombia; Comoros; Congo; Cook Islands; Costa Rica; Cote d'Ivoire; Croatia; Cuba; Curacao; Cyprus;
Czech Republic; Czechia; Democratic Republic of the Congo; Denmark; Djibouti; Dominica; Dominican Republic;
East Timor; Ecuador; Egypt; Eire; El Salvador; Equatorial Guinea; Eritrea; Estonia; Eswatini; Ethiopia;
Falkland Islands; Faroe Islands; Fiji; Finland; France; French Guiana; French Polynesia; Gabon; Gambia; Georgia;
Germany; Ghana; Gibraltar; Greece; Greenland; Grenada; Guadeloupe; Guam; Guatemala; Guinea; Guinea-Bissau; Guyana;
Haiti; Holland; Holy See; Honduras; Hong Kong; Hungary; Iceland; India; Indonesia; Iran; Iraq; Ireland; Israel; Italy;
Ivory Coast; Jamaica; Japan; Jordan; Kazakhstan; Kenya; Kiribati; Kosovo; Kuwait; Kyrgyzstan; Lao; Laos; Latvia;
Lebanon; Lesotho; Liberia; Libya; Liechtenstein; Lithuania; Luxembourg; Macao; Macau; Madagascar; Malawi; Malaysia;
Maldives; Mali; Malta; Marshall Islands; Martinique; Mauritania; Mauritius; Mayotte; Mexico; Micronesia; Moldova;
Monaco; Mongolia; Montenegro; Montserrat; Morocco; Mozambique; Myanmar; Namibia; Nauru; Nepal; Netherlands;
New Caledonia; New Zealand; Nicaragua; Niger; Nigeria; Niue; Norfolk Island; North Korea; North Macedonia;
Northern Mariana Islands; Norway; Oman; Pakistan; Palau; Palestine; Panama; Papua New Guinea; Paraguay; Peru;
Philippines; Pitcairn; Pitcairn Islands; Poland; Portugal; Puerto Rico; Qatar; Republic of Ireland;
Republic of the Congo; Reunion; Romania; Russia; Russian Federation; Rwanda; Saba; Saint Barthelemy; Saint Helena;
Saint Kitts and Nevis; Saint Lucia; Saint Martin; Saint Pierre and Miquelon; Saint Vincent and the Grenadines; Samoa;
San Marino; Sao Tome and Principe; Saudi Arabia; Senegal; Serbia; Seychelles; Sierra Leone; Singapore; Sint Eustatius;
Sint Maarten; Slovakia; Slovenia; Solomon Islands; Somalia; South Africa; South Korea; South Sudan; Spain; Sri Lanka;
St Helena; St Kitts and Nevis; St Lucia; St Vincent and the Grenadines; Sudan; Suriname; Svalbard; Swaziland; Sweden;
Switzerland; Syria; Syrian Arab Republic; Taiwan; Tajikistan; Tanzania; Thailand; Timor-Leste; Togo; Tokelau; Tonga;
Trinidad and Tobago; Tristan da Cunha; Tunisia; Turkey; Turkiye; Turkmenistan; Turks and Caicos Islands; Tuvalu;
Uganda; Ukraine; UAE; United Arab Emirates; United States; United States of America; United States Virgin Islands;
Uruguay; US Virgin Islands; USA; Uzbekistan; Vanuatu; Vatican City; Venezuela; Viet Nam; Vietnam; Wallis and Futuna;
Western Sahara; Yemen; Zambia; Zimbabwe
"""
_UK = "United Kingdom; UK; Great Britain; GB; England; Scotland; Wales; Northern Ireland"


def _plain(name: str) -> str:
    """As names are compared.

    >>> _plain("The Gambia"), _plain("U.S.A."), _plain("Côte d’Ivoire")
    ('gambia', 'usa', 'cote divoire')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    words = re.sub(r"[^a-z &-]", "", letters).replace("&", "and").split()
    return " ".join(words).removeprefix("the ")


def _set_of(names: str) -> frozenset[str]:
    return frozenset(_plain(name) for name in names.replace("\n", " ").split(";"))


_COUNTRIES, _OWN = _set_of(_NAMES), _set_of(_UK)


def is_other_country(line: str) -> bool:
    """Whether a line is the name of a country abroad."""
    return _plain(line) in _COUNTRIES


def is_united_kingdom(line: str) -> bool:
    """Whether a line is the name of the United Kingdom or of a part of it."""
    return _plain(line) in _OWN
