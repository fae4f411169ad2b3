"""Rebates: one row for each payment of an invoice, and one for its unpaid part.

Revision ID: rebate_0002
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "rebate_0002"
down_revision = "rebate_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE rebate (
        id uuid CONSTRAINT pk_rebate PRIMARY KEY,
        version integer NOT NULL,
        invoice_id uuid NOT NULL,
        payment_id uuid,
        supplier_id uuid NOT NULL,
        invoice_number text NOT NULL,
        received_on date NOT NULL,
        valid_on date,
        remitted_on date,
        arrives_on date,
        method text,
        vat_shares jsonb NOT NULL,
        disputed boolean NOT NULL,
        part_payment boolean NOT NULL,
        deducted_pence bigint NOT NULL,
        department text,
        agreement_id uuid,
        agreement_version smallint,
        status text NOT NULL,
        cause text,
        clock_started_on date,
        clock_ended_on date,
        target_on date,
        elapsed_days integer,
        accelerated_days integer,
        rate_percent numeric,
        base_pence bigint NOT NULL,
        rebate_net_pence bigint NOT NULL,
        rebate_vat_pence bigint NOT NULL,
        rebate_pence bigint NOT NULL,
        expected_pence bigint NOT NULL,
        variance_pence bigint NOT NULL,
        variance_cause text,
        rebate_parts jsonb,
        returned_on date,
        changed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_rebate_invoice_id_payment_id UNIQUE NULLS NOT DISTINCT (invoice_id, payment_id),
        CONSTRAINT ck_rebate_status
            CHECK (status IN ('expected', 'lost', 'earned', 'missed', 'reversed', 'withdrawn', 'outside')),
        CONSTRAINT ck_rebate_variance_cause CHECK (variance_cause IN (
            'under_deducted', 'over_deducted', 'not_deducted', 'deducted_after_term', 'deducted_in_dispute',
            'deducted_without_arrival', 'deducted_without_agreement', 'deducted_though_excluded'
        )),
        CONSTRAINT ck_rebate_net_and_vat CHECK (rebate_pence = rebate_net_pence + rebate_vat_pence),
        CONSTRAINT ck_rebate_agreement_and_version CHECK ((agreement_id IS NULL) = (agreement_version IS NULL))
    )
    """,
    *listed_table("rebate"),
    "CREATE INDEX ix_rebate_supplier_id_received_on ON rebate (supplier_id, received_on)",
    "CREATE INDEX ix_rebate_payment_id ON rebate (payment_id)",
    "CREATE INDEX ix_rebate_remitted_on ON rebate USING brin (remitted_on)",
    "CREATE INDEX ix_rebate_remitted_on_id ON rebate (coalesce(remitted_on, '9999-12-31'::date), id)",
    "CREATE INDEX ix_rebate_target_on_id ON rebate (coalesce(target_on, '9999-12-31'::date), id)",
    "CREATE INDEX ix_rebate_expected_pence_id ON rebate (expected_pence, id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE rebate")
