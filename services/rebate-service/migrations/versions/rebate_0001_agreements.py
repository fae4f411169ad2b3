"""Agreements and their versions, of which at most one covers a day.

Revision ID: rebate_0001
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "rebate_0001"
down_revision = None
branch_labels = ("rebate",)
depends_on = "platform_0001"

STATEMENTS = (
    # GiST compares suppliers by equality with it. A trusted extension: the database's owner may create it.
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    CREATE TABLE agreement (
        id uuid CONSTRAINT pk_agreement PRIMARY KEY,
        supplier_id uuid NOT NULL CONSTRAINT uq_agreement_supplier_id UNIQUE,
        version integer NOT NULL,
        apply_from date,
        changed_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    *listed_table("agreement"),
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
            reference_rate_percent >= 0 AND reference_rate_percent * term_days <= 100 * (term_days - target_day)
        ),
        CONSTRAINT ck_agreement_version_clock_start CHECK (clock_start IN ('received', 'valid_invoice')),
        CONSTRAINT ck_agreement_version_clock_end CHECK (clock_end IN ('run_date', 'funds_arrival')),
        CONSTRAINT ck_agreement_version_rebate_base CHECK (rebate_base IN ('net', 'gross')),
        CONSTRAINT ck_agreement_version_vat_mode CHECK (vat_mode IN ('reduce_net_and_vat', 'net_only')),
        CONSTRAINT ck_agreement_version_collection CHECK (collection IN ('deduct_at_source', 'claim')),
        CONSTRAINT ex_agreement_version_one_a_day EXCLUDE USING gist (
            supplier_id WITH =,
            (daterange(effective_from, effective_to + 1, '[)')) WITH &&
        )
    )
    """,
    "CREATE INDEX ix_agreement_version_supplier_id ON agreement_version (supplier_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE agreement_version")
    op.execute("DROP TABLE agreement")
