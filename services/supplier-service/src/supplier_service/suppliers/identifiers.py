"""The numbers and addresses a supplier is known by: what each must look like. Pure, as `rules.py`."""

from __future__ import annotations

import re

_VAT_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 1)

# Companies House prefixes in use, among them charities (CE, CS), overseas entities (OE) and royal charters (RC):
# chguide.co.uk/general/company-number.html.
_COMPANY_PREFIXES = (
    "AC|CE|CS|EN|ES|FC|FE|GE|GN|GS|IC|IP|LP|NA|NC|NF|NI|NL|NO|NP|NR|NV|NZ|OC|OE|PC|R0|RC|RS|SA|SC|SE|SF|SG|SI|SL|"
    "SO|SP|SR|SZ|ZC"
)
_COMPANY_NUMBER = re.compile(
    rf"[0-9]{{8}}|(?:{_COMPANY_PREFIXES})[0-9]{{5}}[0-9ACR]|(?:IP|NO|NP|OC|RS|SO|SP)[0-9]{{3}}[0-9A-Z]{{3}}"
)

# By country, in the form that the tax authority gives: the European Commission's list for VIES (question "What is the
# format of a VAT number?"), the Swiss Federal Tax Administration and the Norwegian Tax Administration.
_FOREIGN_VAT = {
    country: re.compile(form)
    for country, form in {
        **{"AT": r"U[0-9]{8}", "BE": r"[01][0-9]{9}", "BG": r"[0-9]{9,10}", "CHE": r"[0-9]{9}(MWST|TVA|IVA)?"},
        **{"CY": r"[0-9]{8}[A-Z]", "CZ": r"[0-9]{8,10}", "DE": r"[0-9]{9}", "DK": r"[0-9]{8}", "EE": r"[0-9]{9}"},
        **{"EL": r"[0-9]{9}", "ES": r"[0-9A-Z][0-9]{7}[0-9A-Z]", "FI": r"[0-9]{8}", "FR": r"[0-9A-Z]{2}[0-9]{9}"},
        **{"HR": r"[0-9]{11}", "HU": r"[0-9]{8}", "IE": r"[0-9]{7}[A-Z]{1,2}|[0-9][A-Z+*][0-9]{5}[A-Z]"},
        **{"IT": r"[0-9]{11}", "LT": r"[0-9]{9}|[0-9]{12}", "LU": r"[0-9]{8}", "LV": r"[0-9]{11}", "MT": r"[0-9]{8}"},
        **{"NL": r"[0-9]{9}B[0-9]{2}", "NO": r"[0-9]{9}(MVA)?", "PL": r"[0-9]{10}", "PT": r"[0-9]{9}"},
        **{"RO": r"[0-9]{2,10}", "SE": r"[0-9]{12}", "SI": r"[0-9]{8}", "SK": r"[0-9]{10}"},
    }.items()
}

_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{5,22}[0-9]")


def vat_number(written: str) -> str:
    """A VAT registration number without spaces: a UK one without its country code, its check digits tested.

    A foreign one begins with its country's code and has that country's form; its check digits are not tested.

    Nine digits (twelve for a branch): weights 8 7 6 5 4 3 2 10 1, the sum modulo 97 is 0, 42 or 55 where the first
    three digits are 100 or more, else 0. Government departments are GD000-GD499, health authorities HA500-HA999.
    Source: HMRC's check digits, as python-stdnum's `stdnum.gb.vat` has them.

    >>> vat_number("GB 980 7806 84"), vat_number("GD001"), vat_number("GB HA599"), vat_number("IE 1234567T")
    ('980780684', 'GD001', 'HA599', 'IE1234567T')
    """
    number = re.sub(r"[ .-]", "", written).upper()
    number = number[2:] if number[:2] in {"GB", "XI"} else number
    if re.fullmatch(r"GD[0-4][0-9]{2}|HA[5-9][0-9]{2}", number):
        return number
    if (foreign := _foreign_vat_number(number)) is not None:
        return foreign
    if not re.fullmatch(r"[0-9]{9}([0-9]{3})?", number) or number.startswith("000000000"):
        raise ValueError(
            "not a VAT number; expected 9 or 12 digits, GD000-GD499, HA500-HA999 or a foreign one with its country code"
        )
    remainder = sum(weight * int(digit) for weight, digit in zip(_VAT_WEIGHTS, number[:9], strict=True)) % 97
    if remainder not in ({0, 42, 55} if int(number[:3]) >= 100 else {0}):
        raise ValueError("a VAT number whose check digits are wrong; expected the number as HMRC gave it")
    return number


def _foreign_vat_number(number: str) -> str | None:
    """The number where it begins with another country's code; None where it does not. Raises ValueError."""
    number = f"EL{number[2:]}" if number.startswith("GR") else number
    country = next((code for code in (number[:3], number[:2]) if code in _FOREIGN_VAT), None)
    if country is None:
        return None
    if not _FOREIGN_VAT[country].fullmatch(number.removeprefix(country)):
        raise ValueError(f"not a VAT number of {country}; expected it as that country's tax authority writes it")
    return number


def company_number(written: str) -> str:
    """A Companies House number: eight characters; leading zeros that a spreadsheet dropped are put back.

    Source of the form: Companies House, as chguide.co.uk/general/company-number.html lists it.

    >>> company_number("sc 123456"), company_number("445790"), company_number("CE012345")
    ('SC123456', '00445790', 'CE012345')
    """
    number = re.sub(r"\s", "", written).upper()
    if re.fullmatch(r"[0-9]{1,8}", number) and int(number) > 0:
        return number.zfill(8)
    if not _COMPANY_NUMBER.fullmatch(number) or number == "00000000":
        raise ValueError("not a company number; expected 8 characters as at Companies House, such as 01234567")
    return number


def phone_number(written: str) -> str:
    """A telephone number as people write it: digits, spaces, dashes, brackets, a leading plus.

    >>> phone_number("01603 555 010")
    '01603 555 010'
    """
    number = written.strip()
    if not _PHONE.fullmatch(number) or not 7 <= len(phone_digits(number)) <= 15:
        raise ValueError("not a telephone number; expected 7 to 15 digits, spaces allowed")
    return number


def phone_digits(number: str) -> str:
    """What makes two ways of writing one number equal.

    >>> phone_digits("+44 1603 555010") == phone_digits("01603-555-010") == phone_digits("+44 (0)1603 555010")
    True
    """
    digits = re.sub(r"[^0-9]", "", number)
    if number.startswith("+44") or digits.startswith("0044"):
        return "0" + digits.removeprefix("00").removeprefix("44").removeprefix("0")
    return digits
