"""Suppliers, their holds, and the e-mail addresses their contacts had until lately.

Revision ID: supplier_0002
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "supplier_0002"
down_revision = "supplier_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE supplier (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_supplier PRIMARY KEY,
        version integer NOT NULL,
        source_system text NOT NULL,
        source_reference text NOT NULL,
        registered jsonb NOT NULL,
        name text NOT NULL,
        name_changed_on date,
        company_number text,
        vat_number text,
        market_sector text CONSTRAINT fk_supplier_market_sector_market_sector REFERENCES market_sector (code),
        payment_terms_days integer NOT NULL,
        status text NOT NULL,
        contacts jsonb NOT NULL,
        address jsonb,
        open_bank_account_change_id uuid,
        registered_by text NOT NULL,
        registered_at timestamptz NOT NULL,
        CONSTRAINT uq_supplier_source_reference_source_system UNIQUE (source_reference, source_system),
        CONSTRAINT ck_supplier_status CHECK (status IN ('active', 'held', 'merged', 'closed')),
        CONSTRAINT ck_supplier_payment_terms_days CHECK (payment_terms_days BETWEEN 0 AND 365)
    )
    """,
    "CREATE INDEX ix_supplier_name_id ON supplier (name, id)",
    "CREATE INDEX ix_supplier_registered_at_id ON supplier (registered_at, id)",
    "CREATE INDEX ix_supplier_market_sector ON supplier (market_sector)",
    "CREATE INDEX ix_supplier_company_number ON supplier (company_number)",
    "CREATE INDEX ix_supplier_status ON supplier (status) WHERE status <> 'active'",
    "CREATE INDEX ix_supplier_change_open ON supplier (id) WHERE open_bank_account_change_id IS NOT NULL",
    *listed_table("supplier"),
    # Apart from the contacts, so that what is kept for a warning only is forgotten on its day.
    """
    CREATE TABLE supplier_removed_email (
        supplier_id uuid NOT NULL CONSTRAINT fk_supplier_removed_email_supplier_id_supplier REFERENCES supplier (id),
        email text NOT NULL,
        name text NOT NULL,
        removed_on date NOT NULL,
        CONSTRAINT pk_supplier_removed_email PRIMARY KEY (supplier_id, email)
    )
    """,
    "CREATE INDEX ix_supplier_removed_email_removed_on ON supplier_removed_email (removed_on)",
    """
    CREATE TABLE supplier_hold (
        id uuid CONSTRAINT pk_supplier_hold PRIMARY KEY,
        supplier_id uuid NOT NULL CONSTRAINT fk_supplier_hold_supplier_id_supplier REFERENCES supplier (id),
        reason text NOT NULL,
        note text NOT NULL,
        placed_by text NOT NULL,
        placed_by_name text NOT NULL,
        placed_at timestamptz NOT NULL,
        released_by text,
        released_by_name text,
        released_at timestamptz,
        release_reason text,
        release_note text,
        CONSTRAINT ck_supplier_hold_reason CHECK (reason IN (
            'suspected_fraud', 'details_unverified', 'dispute', 'insolvency', 'court_order', 'other')),
        CONSTRAINT ck_supplier_hold_release_reason CHECK (release_reason IN (
            'resolved', 'placed_in_error', 'expired', 'superseded', 'other')),
        CONSTRAINT ck_supplier_hold_released
            CHECK (num_nulls(released_at, released_by, released_by_name, release_reason, release_note) IN (0, 5))
    )
    """,
    "CREATE INDEX ix_supplier_hold_supplier_id ON supplier_hold (supplier_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in (
        "DROP TABLE supplier_hold",
        "DROP TABLE supplier_removed_email",
        "DROP TABLE supplier",
    ):
        op.execute(statement)
