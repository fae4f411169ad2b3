"""What a payment or a credit note settles of an invoice, VAT rate by VAT rate. Whole pence; parts sum to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from council_common.contracts.fields import VatShare

from invoice_service.register.invoices.rules import Line, vat_shares


def shares_of(lines: Iterable[Mapping[str, Any]]) -> list[VatShare]:
    """A stored invoice per VAT rate, from its lines."""
    return vat_shares(
        [
            Line(
                description="",
                net_pence=line["net_pence"],
                vat_rate=Decimal(line["vat_rate"]),
                vat_pence=line["vat_pence"],
            )
            for line in lines
        ]
    )


def read_shares(stored: Iterable[Mapping[str, Any]]) -> list[VatShare]:
    """Shares as they are stored with a payment or an application."""
    return [VatShare.model_validate(share) for share in stored]


def mirrored(shares: Iterable[VatShare]) -> list[VatShare]:
    """The shares of a credit note as those of an invoice, and the other way round."""
    return [
        VatShare(vat_rate=share.vat_rate, net_pence=-share.net_pence, vat_pence=-share.vat_pence) for share in shares
    ]


def still_owed(whole: Sequence[VatShare], settled: Sequence[Sequence[VatShare]]) -> list[VatShare]:
    """What is left of an invoice per VAT rate after the slices that were settled.

    A credit note may bear a rate that its invoice does not: that rate is left below zero, and the whole is right.
    """
    left = {share.vat_rate: (share.net_pence, share.vat_pence) for share in whole}
    for shares in settled:
        for share in shares:
            net, vat = left.get(share.vat_rate, (0, 0))
            left[share.vat_rate] = (net - share.net_pence, vat - share.vat_pence)
    return [VatShare(vat_rate=rate, net_pence=net, vat_pence=vat) for rate, (net, vat) in left.items()]


def slice_of(owed: Sequence[VatShare], settles_pence: int) -> list[VatShare]:
    """What a payment settles per VAT rate: pro rata of what is owed, pennies by largest remainder.

    The slice sums to the payment exactly; slices taken one after the other sum to the invoice exactly, because
    the last one takes all that is left. A payment that settles nothing has no slice.

    >>> from decimal import Decimal
    >>> [part] = slice_of([VatShare(vat_rate=Decimal(20), net_pence=1000, vat_pence=200)], 100)
    >>> part.net_pence, part.vat_pence
    (83, 17)
    """
    if not settles_pence:
        return []
    parts = [pence for share in owed for pence in (share.net_pence, share.vat_pence)]
    total = sum(parts)
    quotas = [divmod(part * settles_pence, total) for part in parts]
    cut = [whole for whole, _ in quotas]
    by_remainder = sorted(range(len(parts)), key=lambda index: (-quotas[index][1], index))
    for index in by_remainder[: settles_pence - sum(cut)]:
        cut[index] += 1
    return [
        VatShare(vat_rate=share.vat_rate, net_pence=cut[2 * index], vat_pence=cut[2 * index + 1])
        for index, share in enumerate(owed)
    ]
