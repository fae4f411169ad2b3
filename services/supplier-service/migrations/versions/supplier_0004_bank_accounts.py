"""Bank accounts: brought by a registration or a bank-account change, superseded, never edited.

Revision ID: supplier_0004
"""

from alembic import op

revision = "supplier_0004"
down_revision = "supplier_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE bank_account (
        supplier_id uuid NOT NULL CONSTRAINT fk_bank_account_supplier_id_supplier REFERENCES supplier (id),
        number integer NOT NULL,
        change_id uuid CONSTRAINT fk_bank_account_change_id_bank_account_change REFERENCES bank_account_change (id),
        sort_code text NOT NULL,
        account_number text NOT NULL,
        account_name text,
        in_use_from timestamptz NOT NULL,
        CONSTRAINT pk_bank_account PRIMARY KEY (supplier_id, number),
        CONSTRAINT uq_bank_account_change_id UNIQUE (change_id),
        CONSTRAINT ck_bank_account_sort_code CHECK (sort_code ~ '^[0-9]{6}$'),
        CONSTRAINT ck_bank_account_account_number CHECK (account_number ~ '^[0-9]{8}$')
    )
    """,
    """
    CREATE TRIGGER refuse_edit BEFORE UPDATE OR DELETE ON bank_account
        FOR EACH ROW EXECUTE FUNCTION refuse_edit()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE bank_account")
