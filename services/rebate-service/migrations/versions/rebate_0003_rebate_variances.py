"""Rebate variances: at most one open for a rebate.

Revision ID: rebate_0003
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "rebate_0003"
down_revision = "rebate_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE rebate_variance (
        id uuid CONSTRAINT pk_rebate_variance PRIMARY KEY,
        version integer NOT NULL,
        rebate_id uuid NOT NULL CONSTRAINT fk_rebate_variance_rebate_id_rebate REFERENCES rebate (id),
        invoice_id uuid NOT NULL,
        payment_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        invoice_number text NOT NULL,
        earned_pence bigint NOT NULL,
        deducted_pence bigint NOT NULL,
        difference_pence bigint NOT NULL,
        cause text NOT NULL,
        owner text NOT NULL,
        status text NOT NULL,
        resolution text,
        note text,
        found_at timestamptz NOT NULL,
        resolved_at timestamptz,
        resolved_by text,
        resolved_by_name text,
        changed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ck_rebate_variance_cause CHECK (cause IN (
            'under_deducted', 'over_deducted', 'not_deducted', 'deducted_after_term', 'deducted_in_dispute',
            'deducted_without_arrival', 'deducted_without_agreement', 'deducted_though_excluded'
        )),
        CONSTRAINT ck_rebate_variance_resolution CHECK (resolution IN (
            'corrected_on_next_payment', 'claimed_from_supplier', 'refunded_to_supplier', 'agreement_missing',
            'wrong_day_used', 'wrong_rate_used', 'wrong_vat_used', 'rounding', 'waived', 'other', 'payment_returned',
            'assessed_again'
        )),
        CONSTRAINT ck_rebate_variance_status CHECK (status IN ('open', 'resolved')),
        CONSTRAINT ck_rebate_variance_resolved CHECK ((status = 'resolved') = (resolution IS NOT NULL))
    )
    """,
    # One open variance for a rebate: assessing it again replaces the old one.
    "CREATE UNIQUE INDEX uq_rebate_variance_open ON rebate_variance (rebate_id) WHERE status = 'open'",
    "CREATE INDEX ix_rebate_variance_rebate_id ON rebate_variance (rebate_id)",
    "CREATE INDEX ix_rebate_variance_supplier_id ON rebate_variance (supplier_id)",
    *listed_table("rebate_variance"),
    "CREATE INDEX ix_rebate_variance_found_at_id ON rebate_variance (found_at, id)",
    "CREATE INDEX ix_rebate_variance_difference_pence_id ON rebate_variance (difference_pence, id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE rebate_variance")
