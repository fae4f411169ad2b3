"""What a message is for, which decides whom it may reach."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from council_common.errors import FieldError, Malformed

from notification_service.message_templates.rules import TemplatePurpose
from notification_service.recipients.rules import RecipientKind


class Purpose(StrEnum):
    """Why a message is sent.

    A debtor in breathing space may still be written to for those that SI 2020/1311 reg 11(2) names: an ongoing
    liability, a debt outside the moratorium, an answer to the debtor's own request, query or complaint, permitted court
    proceedings; and the debt adviser may be.
    """

    ENFORCE_DEBT = "enforce_debt"
    ONGOING_LIABILITY = "ongoing_liability"
    OUTSIDE_MORATORIUM = "outside_moratorium"
    COURT_PROCEEDINGS = "court_proceedings"
    ANSWER = "answer"
    DEBT_ADVISER = "debt_adviser"
    ESTATE = "estate"
    INFORM = "inform"


ENFORCING = frozenset({Purpose.ENFORCE_DEBT, Purpose.ONGOING_LIABILITY, Purpose.OUTSIDE_MORATORIUM})
"""What presses for a debt: stopped by suppression and by the debt's own facts. They name their debt."""
_ANY_WORDS = ENFORCING | {Purpose.COURT_PROCEEDINGS}


class AddresseeRole(StrEnum):
    """Who is written to in a customer's place."""

    DEBT_ADVISER = "debt_adviser"
    REPRESENTATIVE = "representative"


ADDRESSEE_OF = {Purpose.DEBT_ADVISER: AddresseeRole.DEBT_ADVISER, Purpose.ESTATE: AddresseeRole.REPRESENTATIVE}
"""These purposes reach somebody in the customer's place, and no others do."""


def purpose_of(wanted: Purpose | None, template: TemplatePurpose) -> Purpose:
    """The purpose of a message that names none is its template's."""
    return Purpose(template.value) if wanted is None else wanted


def must_suit(
    purpose: Purpose,
    template: TemplatePurpose,
    *,
    recipient_kind: RecipientKind,
    receivable_id: UUID | None,
    addressee: AddresseeRole | None,
) -> None:
    """Raise Malformed where a purpose, a template's words and who is written to do not go together."""
    errors = []
    if recipient_kind is RecipientKind.SUPPLIER and purpose is not Purpose.INFORM:
        errors.append(FieldError("purpose", "is about a debtor", "inform, for a supplier"))
    if template is TemplatePurpose.ENFORCE_DEBT and purpose not in _ANY_WORDS:
        errors.append(FieldError("template", f"asks for a debt, which is not {purpose}", "a template that informs"))
    if purpose in ENFORCING and receivable_id is None:
        errors.append(FieldError("receivable_id", "missing", "the debt that the message is about"))
    if recipient_kind is RecipientKind.SUPPLIER and receivable_id is not None:
        errors.append(FieldError("receivable_id", "a supplier has no receivable", "nothing"))
    if ADDRESSEE_OF.get(purpose) is not addressee:
        wanted = ADDRESSEE_OF.get(purpose)
        errors.append(
            FieldError("addressee", "does not go with the purpose", f"a {wanted}" if wanted is not None else "nothing")
        )
    if errors:
        raise Malformed("The purpose, the template and the recipient do not go together; see errors.", errors=errors)
