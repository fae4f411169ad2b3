"""The journal.

Revision ID: debt_0002
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "debt_0002"
down_revision = "debt_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE journal_entry (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_journal_entry PRIMARY KEY,
        fact text NOT NULL CONSTRAINT ck_journal_entry_fact CHECK (fact IN ('receivable_raised',
            'receivable_credited', 'receivable_cancelled', 'receipt_received', 'receipt_identified',
            'receipt_unidentified', 'receipt_allocated', 'allocation_reversed', 'receipt_reversed')),
        fact_id uuid NOT NULL,
        posted_on date NOT NULL,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL,
        recorded_by_name text NOT NULL,
        CONSTRAINT uq_journal_entry_fact_fact_id UNIQUE (fact, fact_id)
    )
    """,
    "CREATE INDEX ix_journal_entry_posted_on_id ON journal_entry (posted_on, id)",
    *listed_table("journal_entry"),
    """
    CREATE TABLE journal_line (
        entry_id uuid NOT NULL CONSTRAINT fk_journal_line_entry_id_journal_entry REFERENCES journal_entry (id),
        line_no smallint NOT NULL,
        account text NOT NULL CONSTRAINT ck_journal_line_account
            CHECK (account IN ('receivables_control', 'income', 'vat_output', 'bank', 'unallocated_cash', 'write_off')),
        amount_pence bigint NOT NULL CONSTRAINT ck_journal_line_amount_pence CHECK (amount_pence <> 0),
        department text,
        customer_id uuid,
        receivable_id uuid,
        receipt_id uuid,
        CONSTRAINT pk_journal_line PRIMARY KEY (entry_id, line_no)
    )
    """,
    "CREATE INDEX ix_journal_line_receivable_id ON journal_line (receivable_id) WHERE receivable_id IS NOT NULL",
    "CREATE INDEX ix_journal_line_receipt_id ON journal_line (receipt_id) WHERE receipt_id IS NOT NULL",
    # Every statement adds whole, balanced entries, so an entry is balanced at every moment, not only at commit;
    # once a statement it costs a hundredth of a deferred trigger on each line. Lines are added by the transaction that
    # added their entry (xmin): a pair that balances cannot change an old one.
    """
    CREATE FUNCTION journal_balances() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF EXISTS (SELECT FROM added GROUP BY entry_id HAVING sum(amount_pence) <> 0) THEN
            RAISE EXCEPTION 'a journal entry does not balance' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'ck_journal_entry_balances';
        END IF;
        IF EXISTS (SELECT FROM added JOIN journal_line line USING (entry_id, line_no)
                   JOIN journal_entry entry ON entry.id = entry_id WHERE entry.xmin <> line.xmin) THEN
            RAISE EXCEPTION 'the journal is only added to' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER journal_balances AFTER INSERT ON journal_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION journal_balances()
    """,
    """
    CREATE FUNCTION journal_is_immutable() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        RAISE EXCEPTION 'the journal is only added to' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    *(
        f"CREATE TRIGGER {table}_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_is_immutable()"
        for table in ("journal_entry", "journal_line")
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE journal_line")
    op.execute("DROP TABLE journal_entry")
    op.execute("DROP FUNCTION journal_balances")
    op.execute("DROP FUNCTION journal_is_immutable")
