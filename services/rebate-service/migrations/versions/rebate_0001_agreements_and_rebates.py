"""Agreements in versions, rebates, variances.

Revision ID: rebate_0001
"""

from alembic import op

revision = "rebate_0001"
down_revision = None
branch_labels = ("rebate",)
depends_on = None

STATEMENTS = (
    # btree_gist is not in every PostgreSQL; a range over uuid lets GiST compare suppliers without it.
    "CREATE TYPE uuidrange AS RANGE (subtype = uuid)",
    """
    CREATE TABLE agreement (
        id uuid CONSTRAINT pk_agreement PRIMARY KEY,
        supplier_id uuid NOT NULL CONSTRAINT uq_agreement_supplier_id UNIQUE,
        revision integer NOT NULL,
        apply_from date
    )
    """,
    "CREATE INDEX ix_agreement_apply_from ON agreement (apply_from) WHERE apply_from IS NOT NULL",
    """
    CREATE TABLE agreement_version (
        agreement_id uuid NOT NULL CONSTRAINT fk_agreement_version_agreement_id_agreement REFERENCES agreement (id),
        number smallint NOT NULL,
        supplier_id uuid NOT NULL,
        effective_from date NOT NULL,
        effective_to date,
        reference_rate_percent numeric NOT NULL,
        target_day smallint NOT NULL,
        term_days smallint NOT NULL,
        clock_start text NOT NULL,
        clock_end text NOT NULL,
        rebate_base text NOT NULL,
        vat_mode text NOT NULL,
        collection text NOT NULL,
        CONSTRAINT pk_agreement_version PRIMARY KEY (agreement_id, number),
        CONSTRAINT ck_agreement_version_ends_after_start CHECK (effective_to >= effective_from - 1),
        CONSTRAINT ck_agreement_version_target_within_term CHECK (target_day >= 0 AND target_day < term_days),
        CONSTRAINT ck_agreement_version_rate_within_the_whole CHECK (
            reference_rate_percent > 0 AND reference_rate_percent * term_days <= 100 * (term_days - target_day)
        ),
        CONSTRAINT ck_agreement_version_clock_start CHECK (clock_start IN ('received', 'valid_invoice')),
        CONSTRAINT ck_agreement_version_clock_end CHECK (clock_end IN ('run_date', 'funds_arrival')),
        CONSTRAINT ck_agreement_version_rebate_base CHECK (rebate_base IN ('net', 'gross')),
        CONSTRAINT ck_agreement_version_vat_mode CHECK (vat_mode IN ('reduce_net_and_vat', 'net_only')),
        CONSTRAINT ck_agreement_version_collection CHECK (collection IN ('deduct_at_source', 'claim')),
        CONSTRAINT ex_agreement_version_one_a_day EXCLUDE USING gist (
            (uuidrange(supplier_id, supplier_id, '[]')) WITH &&,
            (daterange(effective_from, effective_to + 1, '[)')) WITH &&
        )
    )
    """,
    "CREATE INDEX ix_agreement_version_supplier_id ON agreement_version (supplier_id)",
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
        changed_at timestamptz NOT NULL,
        CONSTRAINT uq_rebate_invoice_id_payment_id UNIQUE NULLS NOT DISTINCT (invoice_id, payment_id),
        CONSTRAINT ck_rebate_status
            CHECK (status IN ('expected', 'earned', 'missed', 'reversed', 'withdrawn', 'outside')),
        CONSTRAINT ck_rebate_net_and_vat CHECK (rebate_pence = rebate_net_pence + rebate_vat_pence),
        CONSTRAINT ck_rebate_agreement_and_version CHECK ((agreement_id IS NULL) = (agreement_version IS NULL))
    )
    """,
    "CREATE INDEX ix_rebate_supplier_id_received_on ON rebate (supplier_id, received_on)",
    "CREATE INDEX ix_rebate_payment_id ON rebate (payment_id)",
    "CREATE INDEX ix_rebate_remitted_on ON rebate USING brin (remitted_on)",
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
        CONSTRAINT ck_rebate_variance_status CHECK (status IN ('open', 'resolved')),
        CONSTRAINT ck_rebate_variance_resolved CHECK ((status = 'resolved') = (resolution IS NOT NULL))
    )
    """,
    # One open variance for a rebate: another look at it replaces the old one.
    "CREATE UNIQUE INDEX uq_rebate_variance_open ON rebate_variance (rebate_id) WHERE status = 'open'",
    "CREATE INDEX ix_rebate_variance_rebate_id ON rebate_variance (rebate_id)",
    "CREATE INDEX ix_rebate_variance_supplier_id ON rebate_variance (supplier_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("rebate_variance", "rebate", "agreement_version", "agreement"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP TYPE uuidrange")
