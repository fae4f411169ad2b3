"""What the list of applications of credit notes is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from uuid import UUID

from council_common.fields import Day
from council_common.web.csv_export import NameBeside
from council_common.web.lists import ResourceList

from invoice_service.register.credit_note_applications.rules import ApplicationStatus
from invoice_service.register.credit_note_applications.tables import CreditNoteApplication


class CreditNoteApplicationList(
    ResourceList,
    of=CreditNoteApplication,
    sorts=("applied_at", "due_back_pence"),
    default="-applied_at",
    csv=(
        *("id", "credit_note_id", "invoice_id", "supplier_id", "applied_pence", "after_payment", "due_back_pence"),
        *("deducted_pence", "status", "applied_on", "note", "applied_by_name", "refunded_on", "refund_reason"),
        *("reversed_on", "reversal_reason", "reversed_by_name"),
    ),
    names=(NameBeside("supplier_id", "supplier", "/v1/suppliers"),),
):
    """Applications of credit notes that meet every condition given, newest first; `_from` and `_to` are inclusive.

    `status=refund_due` is the money that suppliers are to give back.
    """

    credit_note_id: UUID | None = None
    invoice_id: UUID | None = None
    supplier_id: UUID | None = None
    status: ApplicationStatus | None = None
    after_payment: bool | None = None
    applied_from: Day | None = None
    applied_to: Day | None = None
