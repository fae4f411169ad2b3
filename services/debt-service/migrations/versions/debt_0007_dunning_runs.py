"""Dunning runs, their items, and notices.

Revision ID: debt_0007
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "debt_0007"
down_revision = "debt_0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE dunning_run (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_dunning_run PRIMARY KEY,
        version integer NOT NULL,
        status text NOT NULL CONSTRAINT ck_dunning_run_status
            CHECK (status IN ('proposed', 'issuing', 'issued', 'cancelled')),
        as_at date NOT NULL,
        procedure_id uuid CONSTRAINT fk_dunning_run_procedure_id_dunning_procedure REFERENCES dunning_procedure (id),
        department text,
        debt_type text,
        found jsonb NOT NULL,
        outcome jsonb NOT NULL,
        proposed_by text NOT NULL,
        proposed_by_name text NOT NULL,
        proposed_at timestamptz NOT NULL,
        closed_by text,
        closed_by_name text,
        closed_at timestamptz,
        issued_on date
    )
    """,
    "CREATE INDEX ix_dunning_run_proposed_at_id ON dunning_run (proposed_at, id)",
    "CREATE INDEX ix_dunning_run_as_at_id ON dunning_run (as_at, id)",
    *listed_table("dunning_run"),
    # No foreign keys on the item: one statement writes it from the very rows it names, none of which is ever
    # deleted, and a check per row would cost as much as the proposal itself.
    """
    CREATE TABLE dunning_item (
        run_id uuid NOT NULL,
        receivable_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        procedure_id uuid NOT NULL,
        level smallint NOT NULL,
        days_overdue integer NOT NULL,
        outstanding_pence bigint NOT NULL,
        due_on date NOT NULL,
        last_notice_on date,
        on_account_pence bigint,
        state text NOT NULL CONSTRAINT ck_dunning_item_state
            CHECK (state IN ('proposed', 'skipped', 'excluded', 'dropped', 'issued', 'cancelled')),
        reason text,
        CONSTRAINT pk_dunning_item PRIMARY KEY (run_id, receivable_id)
    ) WITH (fillfactor = 90)
    """,
    "CREATE UNIQUE INDEX uq_dunning_item_open ON dunning_item (receivable_id) WHERE state = 'proposed'",
    """
    CREATE FUNCTION dunning_item_is_a_snapshot() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        RAISE EXCEPTION 'a proposal is a snapshot: only its state moves' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER dunning_item_is_a_snapshot BEFORE UPDATE OF run_id, receivable_id, customer_id, procedure_id,
        level, days_overdue, outstanding_pence, due_on, last_notice_on, on_account_pence ON dunning_item
    FOR EACH STATEMENT EXECUTE FUNCTION dunning_item_is_a_snapshot()
    """,
    """
    CREATE TRIGGER dunning_item_is_kept BEFORE DELETE ON dunning_item
    FOR EACH STATEMENT EXECUTE FUNCTION dunning_item_is_a_snapshot()
    """,
    # What only the calendar or the ladder keeps back: hundreds of thousands a run that nobody looks at but to find out
    # why. A row a reason costs a hundredth of a row a debt.
    """
    CREATE TABLE dunning_passed_over (
        id uuid CONSTRAINT pk_dunning_passed_over PRIMARY KEY,
        run_id uuid NOT NULL,
        reason text NOT NULL,
        level smallint NOT NULL,
        procedure_id uuid,
        receivable_ids uuid[] NOT NULL,
        outstanding_pence bigint[] NOT NULL,
        last_notice_on date[] NOT NULL
    )
    """,
    "CREATE INDEX ix_dunning_passed_over_run_id_reason ON dunning_passed_over (run_id, reason)",
    """
    CREATE TRIGGER dunning_passed_over_is_kept BEFORE UPDATE OR DELETE ON dunning_passed_over
    FOR EACH STATEMENT EXECUTE FUNCTION dunning_item_is_a_snapshot()
    """,
    *(
        f"ALTER TABLE dunning_passed_over ALTER COLUMN {column} SET STORAGE EXTERNAL"
        for column in ("receivable_ids", "outstanding_pence", "last_notice_on")
    ),
    """
    CREATE TABLE dunning_notice (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_dunning_notice PRIMARY KEY,
        run_id uuid NOT NULL CONSTRAINT fk_dunning_notice_run_id_dunning_run REFERENCES dunning_run (id),
        receivable_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        procedure_id uuid NOT NULL,
        level smallint NOT NULL,
        template text NOT NULL,
        channel text NOT NULL CONSTRAINT ck_dunning_notice_channel CHECK (channel IN ('email', 'letter')),
        issued_on date NOT NULL,
        due_on date NOT NULL,
        days_overdue integer NOT NULL,
        outstanding_pence bigint NOT NULL,
        last_notice_on date,
        approved_by text NOT NULL,
        approved_by_name text NOT NULL,
        delivery_status text NOT NULL CONSTRAINT ck_dunning_notice_delivery_status
            CHECK (delivery_status IN ('issued', 'sent', 'delivered', 'failed')),
        delivery_at timestamptz NOT NULL,
        message_id uuid,
        failure_reason text,
        sent_on date,
        CONSTRAINT uq_dunning_notice_run_id_receivable_id UNIQUE (run_id, receivable_id)
    )
    """,
    *listed_table("dunning_notice"),
    "CREATE INDEX ix_dunning_notice_receivable_id ON dunning_notice (receivable_id)",
    "CREATE INDEX ix_dunning_notice_customer_id ON dunning_notice (customer_id)",
    """
    CREATE INDEX ix_dunning_notice_under_way ON dunning_notice (receivable_id)
    WHERE delivery_status IN ('issued', 'sent')
    """,
    """
    CREATE INDEX ix_dunning_notice_unsent ON dunning_notice (receivable_id)
    WHERE delivery_status = 'failed' AND sent_on IS NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE dunning_notice")
    op.execute("DROP TABLE dunning_passed_over")
    op.execute("DROP TABLE dunning_item")
    op.execute("DROP TABLE dunning_run")
    op.execute("DROP FUNCTION dunning_item_is_a_snapshot")
