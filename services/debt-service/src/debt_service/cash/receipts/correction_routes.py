"""The correction of a charge over HTTP: it touches its payments, which the ledger does not know."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.service.api import resource_router
from council_common.web.acts import Act, acting

from debt_service.cash.receipts.correcting import correct_charge
from debt_service.cash.receipts.correction_schemas import CorrectionIn
from debt_service.ledger.receivables.schemas import ReceivableOut

router = resource_router("receivables")


@router.post("/{receivable_id}/corrections", status_code=201, responses={200: {"model": ReceivableOut}})
async def correct(
    receivable_id: UUID, correction: CorrectionIn, act: Annotated[Act, acting("debts:write")]
) -> ReceivableOut:
    """Credit a charge whole and raise it anew, settled or not; 200 with the new one when this was asked for before.

    The new charge has the tax point of the wrong one and counts in the books from today.
    """
    await act.sources.may_use(correction.receivable.source.system, field="receivable.source.system")
    raised, new = await correct_charge(
        act.session,
        receivable_id,
        correction.receivable.as_replacement(),
        payments=correction.payments,
        reason=correction.reason,
        note=correction.note,
        by=act.by,
        at=act.at,
    )
    act.answers(f"{router.prefix}/{raised.id}", raised.version, new=new)
    return ReceivableOut.of(raised)
