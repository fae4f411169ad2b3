"""What is done about bank accounts on behalf of the rooms above."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from council_common.errors import FieldError
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.bank_accounts.rules import AccountInText, BankDetails, tells_account
from supplier_service.bank_accounts.store import accounts_ever_named


async def refuse_accounts_in(
    session: AsyncSession, supplier_id: UUID, *, also: Iterable[BankDetails] = (), **texts: str | None
) -> None:
    """Raise AccountInText where a text (by its field's name) has an account of this supplier in it, or one of `also`.

    Accounts named in passing are what a pasted e-mail brings: the text is kept and shown for good, the account is not.
    """
    accounts = [*await accounts_ever_named(session, supplier_id), *also]
    wrong = [name for name, text in texts.items() if text and tells_account(text, accounts)]
    if wrong:
        expected = "the words without sort code and account number"
        raise AccountInText(
            "Bank details are not written into text that others read; see errors.",
            errors=[FieldError(name, "has bank details in it", expected) for name in wrong],
        )
