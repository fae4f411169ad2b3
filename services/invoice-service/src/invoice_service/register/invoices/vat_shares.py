"""What a payment or a credit note settles of an invoice, VAT rate by VAT rate. Whole pence; parts sum to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from council_common.contracts.fields import VatShare


def shares_of(lines: Iterable[Mapping[str, Any]]) -> list[VatShare]:
    """A stored invoice per VAT rate, lowest rate first, from its lines."""
    sums: dict[Decimal, tuple[int, int]] = {}
    for line in lines:
        rate = Decimal(line["vat_rate"])
        net, vat = sums.get(rate, (0, 0))
        sums[rate] = (net + line["net_pence"], vat + line["vat_pence"])
    return [_share(rate, *sums[rate]) for rate in sorted(sums)]


def read_shares(stored: Iterable[Mapping[str, Any]]) -> list[VatShare]:
    """Shares as they are stored with a payment or an application."""
    return [_share(Decimal(share["vat_rate"]), share["net_pence"], share["vat_pence"]) for share in stored]


def written_shares(shares: Iterable[VatShare]) -> list[dict[str, Any]]:
    """Shares as they are stored."""
    return [
        {"vat_rate": format(share.vat_rate, "f"), "net_pence": share.net_pence, "vat_pence": share.vat_pence}
        for share in shares
    ]


def mirrored(shares: Iterable[VatShare]) -> list[VatShare]:
    """The shares of a credit note as those of an invoice, and the other way round."""
    return [_share(share.vat_rate, -share.net_pence, -share.vat_pence) for share in shares]


def _share(vat_rate: Decimal, net_pence: int, vat_pence: int) -> VatShare:
    """A share of values that were checked when they came in: checking again costs as much as a payment's rules."""
    return VatShare.model_construct(vat_rate=vat_rate, net_pence=net_pence, vat_pence=vat_pence)


def still_owed(whole: Sequence[VatShare], settled: Sequence[Sequence[VatShare]]) -> list[VatShare]:
    """What is left of an invoice per VAT rate after the slices that were settled.

    A credit note may bear a rate that its invoice does not: that rate is left below zero, and the whole is right.
    """
    if not settled:
        return list(whole)
    left = {share.vat_rate: (share.net_pence, share.vat_pence) for share in whole}
    for shares in settled:
        for share in shares:
            net, vat = left.get(share.vat_rate, (0, 0))
            left[share.vat_rate] = (net - share.net_pence, vat - share.vat_pence)
    return [_share(rate, net, vat) for rate, (net, vat) in left.items()]


def slice_of(owed: Sequence[VatShare], settles_pence: int) -> list[VatShare]:
    """What a payment settles per VAT rate: pro rata of what is owed, pennies by largest remainder.

    The slice sums to the payment exactly; slices taken one after the other sum to the invoice exactly, because
    the last one takes all that is left. A payment that settles nothing has no slice, nor has one of an invoice whose
    net and VAT come to zero beside another gross.

    >>> from decimal import Decimal
    >>> [part] = slice_of([VatShare(vat_rate=Decimal(20), net_pence=1000, vat_pence=200)], 100)
    >>> part.net_pence, part.vat_pence
    (83, 17)
    """
    parts = [pence for share in owed for pence in (share.net_pence, share.vat_pence)]
    total = sum(parts)
    if not settles_pence or not total:
        return []
    if settles_pence == total:
        return list(owed)
    quotas = [divmod(part * settles_pence, total) for part in parts]
    cut = [whole for whole, _ in quotas]
    by_remainder = sorted(range(len(parts)), key=lambda index: (-quotas[index][1], index))
    for index in by_remainder[: settles_pence - sum(cut)]:
        cut[index] += 1
    return [_share(share.vat_rate, cut[2 * index], cut[2 * index + 1]) for index, share in enumerate(owed)]
