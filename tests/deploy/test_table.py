import re

import pytest
from council_gateway import TABLE, Table, owner_of
from council_gateway.kubernetes.routes import digits_above
from hypothesis import given
from hypothesis import strategies as st


def test_each_resource_of_the_platform_has_its_owner():
    owners = {resource.name: resource.service for resource in TABLE.resources}
    assert len(owners) == len(TABLE.resources)
    assert owners["bank-account-changes"] == "supplier"
    assert owners["reports/spend"] == "invoice"
    assert owners["reports/aged-debt"] == owners["bacs-reports"] == "debt"
    assert owners["debit-notes"] == "rebate"
    assert owners["contact-preferences"] == "notification"


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/v1/invoices", "invoice"),
        ("/v1/invoices/0199/approvals", "invoice"),
        ("/v1/invoice-imports?dry_run=true", "invoice"),
        ("/v1/holds/7", "debt"),
        ("/v1/invoicesX", None),
        ("/v1/reports", None),
        ("/v1/", None),
        ("/invoices", None),
        ("/metrics", None),
        ("/health/ready", None),
    ],
)
def test_a_path_belongs_to_the_resource_it_is_under(path, owner):
    assert owner_of(path) == owner


def test_uploads_are_streamed_and_large_and_nothing_else_is():
    uploads = {resource.name for resource in TABLE.resources if resource.kind.streamed}
    assert uploads == {
        *("invoice-imports", "e-invoices"),
        *("bank-statements", "benefit-schedules", "take-ons", "bacs-reports"),
    }
    largest = max(each.kind.max_body_bytes for each in TABLE.resources if not each.kind.streamed)
    assert largest == 16 * 1024 * 1024


def test_a_resource_with_two_owners_is_refused():
    kinds = {"record": {"timeout_seconds": 1, "max_body_bytes": 1}}
    services = {"invoice": {"record": ["reports"]}, "debt": {"record": ["reports/aged-debt"]}}
    with pytest.raises(ValueError, match="reports of invoice also holds reports/aged-debt"):
        Table.of({"kinds": kinds, "services": services})


@given(st.integers(1, 10**10), st.integers(0, 10**11))
def test_numbers_above_a_limit_are_recognised_by_their_digits(limit, number):
    assert bool(re.fullmatch(digits_above(limit), str(number))) == (number > limit)
