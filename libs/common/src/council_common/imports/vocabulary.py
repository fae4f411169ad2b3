"""The words of the field's column names, whoever writes them and in whatever order.

`Date of Payment`, `payment_date` and `PaidDate` are the same two words. Sources: GOV.UK's guidance on publishing spend
over £25,000, the Local Government Transparency Code 2015, and the export names of Oracle, SAP, Agresso and Civica.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_INCLUDING: Final = "incl?(?:uding|usive|udes|uded)?(?: of)?(?: any)?"
_EXCLUDING: Final = "ex(?:c|cl|cluding|clusive|cludes|cluded)?(?: of)?(?: any)?"
_PHRASES: Final = (
    (rf"net of vat|(?:less|without|before|{_EXCLUDING}) (?:vat|tax)", "net"),
    (rf"{_INCLUDING} irrecoverable (?:vat|tax)", "net"),
    (rf"(?:with|plus|{_INCLUDING})(?: any)? (?:vat|tax)", "gross"),
    (rf"(?:vat|tax) (?:in|{_INCLUDING})", "gross"),
    (rf"(?:vat|tax) {_EXCLUDING}", "net"),
    (r"(?:non|un|not|ir) ?(?:recoverable|reclaimable|recovered)", "irrecoverable"),
    (r"(?:paid|payable|pay) to", "supplier"),
    (r"purchase order|p ?o", "order"),
    (r"post ?code", "postcode"),
    (r"cost cent(?:re|er)", "costcentre"),
    (r"g l|general ledger|nominal ledger", "ledger"),
    (r"t ?no|trans(?:action)? ?no", "transaction number"),
    (r"doc ?no", "document number"),
    (r"inv ?no", "invoice number"),
)
_MEANINGS: Final = """
    supplier: supplier suppliers vendor vendors payee payees beneficiary creditor merchant provider contractor recipient
    number: number no num nr nbr id identifier ref reference
    code: code codes
    name: name names called label title
    date: date dates dt day
    paid: paid payment payments pay remittance remitted settlement settled cheque
    clearing: clearing cleared clear
    posting: posting posted
    amount: amount amounts amt value sum total price cost figure
    net: net nett
    gross: gross
    vat: vat tax
    irrecoverable: irrecoverable
    rate: rate percent percentage pct
    invoice: invoice invoices inv bill
    transaction: transaction transactions trans txn voucher
    document: document doc
    line: line item distribution
    expense: expense expenses expenditure spend spending spent
    type: type types
    area: area areas
    category: category categories categorisation classification proclass group
    procurement: procurement purchasing
    purpose: purpose narrative reason
    description: description descriptions descript desc details detail text particulars summary detailed extended
    account: account subjective nominal ledger
    service: service services
    department: department departments dept directorate division
    unit: unit units
    family: family
    responsible: responsible business budget portfolio
    body: body entity
    organisation: organisation organization authority council organistion
    received: received receipt receive
    due: due
    issued: issued issue raised
    order: order orders
    registration: registration reg regn
"""
# Words that make another column of it: a supplier's postcode is no supplier.
_OF_OTHER_COLUMNS: Final = """
    pence pounds costcentre postcode address company charity registered contract start end effective period year month
    bank iban email card currency status terms user source project batch count quantity uri url hold approved entered
    created birth internal own customer expiry annual
"""
_WORDS: Final = {
    **{
        meaning.strip(): words.split()
        for meaning, _, words in (line.partition(":") for line in _MEANINGS.strip().splitlines())
    },
    **{word: [word] for word in _OF_OTHER_COLUMNS.split()},
}
_CONCEPTS: Final = {word: concept for concept, words in _WORDS.items() for word in words}
# Words that change nothing: `Amount in Sterling (£)` is an amount.
_EMPTIES: Final = """
    the of to in for and by on a an or was is were made where occurred our their its s ap gbp sterling uk full actual
    base local council unique this which has been over from at sap
"""
_EMPTY: Final = frozenset(_EMPTIES.split())
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_KNOWN: Final = re.compile(
    f"(?:{'|'.join(sorted((word for word in _CONCEPTS if len(word) > 2), key=len, reverse=True))}|no|id|ref)+"
)
_ONE_KNOWN: Final = re.compile("|".join(sorted((word for word in _CONCEPTS if len(word) > 1), key=len, reverse=True)))
_PATTERNS: Final = tuple((re.compile(rf"\b(?:{pattern})\b"), word) for pattern, word in _PHRASES)


@dataclass(frozen=True, slots=True)
class Words:
    """What a column's name says: the words that are known, and whether there were others."""

    known: frozenset[str]
    has_others: bool


@lru_cache(maxsize=8_192)
def words_of(name: str) -> Words:
    """The words of a column's name, each by its meaning.

    >>> words_of("Date of Payment") == words_of("PAID_DATE") == words_of("paymentdate")
    True
    >>> sorted(words_of("Amount (excludes VAT)").known), sorted(words_of("VAT Reg. No").known)
    (['net'], ['number', 'registration', 'vat'])
    """
    text = " ".join("".join(char if char.isalnum() else " " for char in _CAMEL.sub(" ", name)).casefold().split())
    for pattern, word in _PATTERNS:
        text = pattern.sub(word, text)
    known: set[str] = set()
    has_others = False
    for token in text.split():
        if token in _EMPTY:
            continue
        if token in _CONCEPTS:
            known.add(_CONCEPTS[token])
        elif _KNOWN.fullmatch(token):
            known.update(_CONCEPTS[part] for part in _ONE_KNOWN.findall(token))
        else:
            has_others = has_others or not token.isdigit()
    # `Net Amount` and `Net` are the same; of an amount of VAT the word VAT is what counts.
    if known & {"net", "gross"}:
        known -= {"amount", "vat", "irrecoverable"}
    elif "vat" in known:
        known -= {"amount", "irrecoverable"}
    return Words(frozenset(known), has_others)
