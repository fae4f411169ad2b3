"""The terms of early payment, and which version of an agreement applies to an invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self, TypeVar
from uuid import UUID

from council_common.contracts.early_payment import runs_past_statutory_due_date, unsound_terms
from council_common.errors import Conflict, Malformed

ONE_DAY = timedelta(days=1)
MILLION = 1_000_000  # a rate of percent has at most six decimal places


class ClockStart(StrEnum):
    """The day that counts as day 0."""

    RECEIVED = "received"
    VALID_INVOICE = "valid_invoice"


class ClockEnd(StrEnum):
    """The day on which the counting ends."""

    RUN_DATE = "run_date"
    FUNDS_ARRIVAL = "funds_arrival"


class RebateBase(StrEnum):
    """What the percentage runs on."""

    NET = "net"
    GROSS = "gross"


class VatMode(StrEnum):
    """Whether the rebate lowers the VAT as well."""

    REDUCE_NET_AND_VAT = "reduce_net_and_vat"
    NET_ONLY = "net_only"


class Collection(StrEnum):
    """How the council gets its rebate."""

    DEDUCT_AT_SOURCE = "deduct_at_source"
    CLAIM = "claim"


class AgreementStatus(StrEnum):
    """Where an agreement stands on a day; it follows from its dates."""

    PLANNED = "planned"
    ACTIVE = "active"
    ENDED = "ended"


class AgreementWarning(StrEnum):
    """What whoever agrees terms should know: it does not keep them from being agreed."""

    TERM_PAST_STATUTORY_DUE_DATE = "term_past_statutory_due_date"


class AgreementExists(Conflict):
    """A supplier has one agreement; what changes is its version."""

    code = "agreement-exists"


class AgreementEnded(Conflict):
    """The agreement ends on or before that day already."""

    code = "agreement-already-ended"


@dataclass(frozen=True)
class Terms:
    """The terms of one version; the reference rate (percent) is earned on the target day.

    Clocks, base and VAT differ by council and none has a default: they are agreed, never inferred. Programme pages
    publish the clocks (Sefton and NHS Wales: from receipt to remittance) and leave base and VAT open, so each
    council's VAT officer decides them.
    """

    reference_rate_percent: Decimal
    target_day: int
    term_days: int
    clock_start: ClockStart
    clock_end: ClockEnd
    rebate_base: RebateBase
    vat_mode: VatMode
    collection: Collection

    @classmethod
    def named_in(cls, source: Any) -> Self:
        """The terms that an event, a request or a row carries under these names."""
        return cls(
            reference_rate_percent=source.reference_rate_percent,
            target_day=source.target_day,
            term_days=source.term_days,
            clock_start=ClockStart(source.clock_start),
            clock_end=ClockEnd(source.clock_end),
            rebate_base=RebateBase(source.rebate_base),
            vat_mode=VatMode(source.vat_mode),
            collection=Collection(source.collection),
        )

    @cached_property
    def time_to_target(self) -> timedelta:
        """From day 0 to the target day."""
        return timedelta(days=self.target_day)

    @cached_property
    def rate_in_millionths(self) -> int:
        """The reference rate in millionths of a percent: a whole number, for it has at most six places."""
        return int(self.reference_rate_percent * MILLION)


def check_terms(terms: Terms, *, at: str = "") -> Terms:
    """Terms that can be agreed; raises Malformed for others (`at` goes before the names of the fields)."""
    errors = unsound_terms(
        term_days=terms.term_days,
        target_day=terms.target_day,
        reference_rate_percent=terms.reference_rate_percent,
        at=at,
    )
    if errors:
        raise Malformed("These terms are invalid; see errors.", errors=errors)
    return terms


def warnings_of(terms: Terms) -> list[AgreementWarning]:
    """What is unwise about sound terms: a rebate for a payment that is late by Procurement Act 2023 s68(2).

    The council would take a rebate for a day on which it owes interest (Late Payment of Commercial Debts Act 1998).
    """
    late = runs_past_statutory_due_date(term_days=terms.term_days)
    return [AgreementWarning.TERM_PAST_STATUTORY_DUE_DATE] if late else []


class Dated(Protocol):
    """A version as far as its dates go; `effective_to` is its last day, None while it has no end."""

    @property
    def effective_from(self) -> date: ...
    @property
    def effective_to(self) -> date | None: ...


D = TypeVar("D", bound=Dated)


def is_in_force(version: Dated, day: date) -> bool:
    """Whether a version covers a day; both its first and its last day are covered."""
    return version.effective_from <= day and (version.effective_to is None or day <= version.effective_to)


def version_for(versions: Iterable[D], received_on: date) -> D | None:
    """The version that applies to an invoice: the one in force on the day the invoice was received.

    Neither the payment's day nor the invoice's own date chooses it: the supplier knew these terms when it sent the
    invoice. Source: our policy; programmes publish where the clock starts, not which version applies.
    """
    for version in versions:
        if is_in_force(version, received_on):
            return version
    return None


class VersionInForce(NamedTuple):
    """One version as the rebates need it."""

    agreement_id: UUID
    number: int
    effective_from: date
    effective_to: date | None
    terms: Terms


class AgreementsInForce:
    """The agreement versions of some suppliers, from which each invoice's is chosen."""

    def __init__(self, versions: Mapping[UUID, Sequence[VersionInForce]]) -> None:
        self._versions = versions

    def of(self, supplier_id: UUID, received_on: date) -> VersionInForce | None:
        """The version that applies to an invoice of a supplier; None: no agreement in force."""
        return version_for(self._versions.get(supplier_id, ()), received_on)


def last_day_under(successor_from: date, version: Dated) -> date:
    """When a version ends because another takes over: the day before, and never more than one day before its start.

    A version that never came into force ends the day before it begins.
    """
    return max(successor_from, version.effective_from) - ONE_DAY


def shown_version(versions: Sequence[D], today: date) -> D:
    """The version that stands for the agreement: the one in force today, else the next to come, else the last.

    `versions` are in order of their numbers and at least one.
    """
    return (
        version_for(versions, today)
        or min(
            (version for version in versions if version.effective_from > today and not never_in_force(version)),
            key=lambda version: version.effective_from,
            default=None,
        )
        or max(versions, key=lambda version: (not never_in_force(version), version.effective_from))
    )


def never_in_force(version: Dated) -> bool:
    """Whether a version was withdrawn before its first day."""
    return version.effective_to is not None and version.effective_to < version.effective_from


def status_on(version: Dated, today: date) -> AgreementStatus:
    """The status of a version on a day."""
    if is_in_force(version, today):
        return AgreementStatus.ACTIVE
    planned = version.effective_from > today and not never_in_force(version)
    return AgreementStatus.PLANNED if planned else AgreementStatus.ENDED
