"""What an import is, and how a published payment line is known again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from council_common.errors import Conflict, FieldError, Forbidden, Malformed
from council_common.identity.actor import Actor
from council_common.imports import Doubt, is_redacted


class FileFormat(StrEnum):
    """How a file is written."""

    CSV = "csv"
    NDJSON = "ndjson"
    XLSX = "xlsx"


class Profile(StrEnum):
    """What a file's lines are: invoices to be paid, or payments that a body published as made."""

    INVOICES = "invoices"
    PUBLISHED_SPEND = "published_spend"


class UnknownSuppliers(StrEnum):
    """What becomes of a line whose supplier neither we nor supplier-service know."""

    REFUSE = "refuse"
    REGISTER = "register"


MOST_PAYMENTS_OF_ONE = 10
"""Published payments that one number of a supplier may bear and be an invoice's: under more it is an account, a card
or an agreement (one council's is borne by 37,059), and a repeat says nothing. Source: our policy."""
BY_SIGN = "by_sign"
"""The kind of a line whose amount's sign says whether it is a credit note."""

IN_DOUBT = "in-doubt"
"""The code of an import that could mean two things: it has stored nothing and waits for an answer."""


class ImportStatus(StrEnum):
    """Where an import is: as its work is, or in doubt."""

    WAITING = "waiting"
    RUNNING = "running"
    IN_DOUBT = "in_doubt"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


def status_of(state: str, error: Mapping[str, Any] | None) -> ImportStatus:
    """An import's status by its work."""
    if state == ImportStatus.FAILED and error is not None and error["code"] == IN_DOUBT:
        return ImportStatus.IN_DOUBT
    return ImportStatus(state)


def doubts_of(error: Mapping[str, Any] | None) -> list[Any]:
    """What an import asks, by the error of its work."""
    return [] if error is None else error.get("doubts", [])


class InDoubt(Exception):
    """A file could mean two things."""

    def __init__(self, doubts: Sequence[Doubt]) -> None:
        super().__init__(" ".join(doubt.question for doubt in doubts))
        self.doubts = doubts


class NotInDoubt(Conflict):
    """An answer to an import that asks nothing."""

    code = "import-not-in-doubt"


class RefusalsInOtherFormat(Conflict):
    """Refused lines come back in the format they were sent in."""

    code = "refusals-in-other-format"


class ImportMalformed(Malformed):
    """The import's parameters are invalid."""

    code = "import-malformed"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("The import is invalid; see errors.", errors=errors)


class EmptyUpload(Malformed):
    """The request has no body."""

    code = "empty-file"


class FileNotReadable(Malformed):
    """A file of which a preview was asked cannot be read; `errors` say what is wrong, under the import's own code."""

    code = "file-not-readable"

    def __init__(self, reason: str, problem: str, expected: str) -> None:
        super().__init__(
            f"The file cannot be read ({reason}): {problem}.", errors=[FieldError("body", problem, expected)]
        )


REGISTERING = "suppliers:write"


def may_import(by: Actor, unknown: UnknownSuppliers) -> None:
    """Raise Forbidden for a caller whose file would register suppliers without the scope to register them."""
    if unknown is UnknownSuppliers.REGISTER and REGISTERING not in by.scopes:
        raise Forbidden(
            "Registering suppliers by an import needs the scope to register them.", required_scopes=[REGISTERING]
        )


REDACTED_REFERENCE = "redacted"
REDACTED_NAME = "Redacted supplier"


def occurrence_reference(key: str, occurrence: int) -> str:
    """The source reference of the n-th equal line of one file.

    The rule (a file published twice adds nothing): a line is its content, and among equal lines of one file its
    place among them. So three equal lines in a file are three payments; the same file again, under
    whatever name, brings the same three references and adds nothing; a file of another month that repeats lines
    (a payment keeps its date and transaction number, so it is that payment published again) adds only as many
    as it has more of them. Two truly different payments of one day, with one transaction number, supplier,
    purpose and amount, that are never in one file together, look like a repetition and count once.

    >>> occurrence_reference("ab", 1), occurrence_reference("ab", 3)
    ('ab', 'ab-3')
    """
    return key if occurrence == 1 else f"{key}-{occurrence}"


def published_supplier(name: str | None, number: str | None) -> tuple[str, str]:
    """Reference and name under which a published supplier is kept.

    Its number where it has one; a "number" without a digit (`ONETIME`) names many, and a name has to do. All
    that are redacted or blank are one supplier of their source system: who they are is not ours to guess. A
    reference travels in events and addresses, so that a name, which may be a person's, is only in it as a digest.

    >>> published_supplier("Ardley Paving Ltd", "116868")
    ('116868', 'Ardley Paving Ltd')
    >>> published_supplier("Ardley  Paving Ltd.", "ONETIME")
    ('name:6970eca70bcc69e66c55125b04eed6b0', 'Ardley  Paving Ltd.')
    >>> published_supplier("REDACTED PERSONAL DATA", None)
    ('redacted', 'Redacted supplier')
    """
    numbered = number is not None and not _NO_DIGIT.fullmatch(number)
    if name is None and number is not None and numbered:
        return number, f"Supplier {number}"
    if name is None or is_redacted(name):
        return REDACTED_REFERENCE, REDACTED_NAME
    if number is not None and numbered:
        return number, name
    plain = " ".join("".join(char if char.isalnum() else " " for char in name.casefold()).split())
    return f"name:{hashlib.blake2b((plain or name).encode(), digest_size=16).hexdigest()}", name


_NO_DIGIT = re.compile(r"\D*")
