"""Customers, the journal, receivables, receipts, holds, dunning.

Revision ID: debt_0001
"""

from alembic import op

revision = "debt_0001"
down_revision = None
branch_labels = ("debt",)
depends_on = None

CUSTOMERS = (
    """
    CREATE TABLE customer (
        id uuid CONSTRAINT pk_customer PRIMARY KEY,
        version integer NOT NULL,
        system text NOT NULL,
        reference text NOT NULL,
        kind text NOT NULL CONSTRAINT ck_customer_kind
            CHECK (kind IN ('individual', 'sole_trader', 'business', 'public_body')),
        name text NOT NULL,
        email text,
        address jsonb,
        preferred_channel text NOT NULL CONSTRAINT ck_customer_preferred_channel
            CHECK (preferred_channel IN ('email', 'letter')),
        language text NOT NULL,
        suppressed boolean NOT NULL,
        on_hold boolean NOT NULL,
        created_at timestamptz NOT NULL,
        content_hash text NOT NULL,
        contact_changed_at timestamptz,
        CONSTRAINT uq_customer_system_reference UNIQUE (system, reference)
    )
    """,
)

JOURNAL = (
    """
    CREATE TABLE journal_entry (
        id uuid CONSTRAINT pk_journal_entry PRIMARY KEY,
        fact text NOT NULL CONSTRAINT ck_journal_entry_fact CHECK (fact IN ('receivable_raised',
            'receivable_cancelled', 'receipt_received', 'receipt_identified', 'receipt_allocated',
            'receipt_reversed')),
        fact_id uuid NOT NULL,
        posted_on date NOT NULL,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL,
        CONSTRAINT uq_journal_entry_fact_fact_id UNIQUE (fact, fact_id)
    )
    """,
    "CREATE INDEX ix_journal_entry_posted_on ON journal_entry (posted_on)",
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

RECEIVABLES = (
    """
    CREATE TABLE receivable (
        id uuid CONSTRAINT pk_receivable PRIMARY KEY,
        version integer NOT NULL,
        customer_id uuid NOT NULL CONSTRAINT fk_receivable_customer_id_customer REFERENCES customer (id),
        system text NOT NULL,
        reference text NOT NULL,
        number text NOT NULL,
        department text NOT NULL,
        debt_type text NOT NULL,
        issued_on date NOT NULL,
        due_on date NOT NULL,
        lines jsonb NOT NULL,
        net_pence bigint NOT NULL,
        vat_pence bigint NOT NULL,
        gross_pence bigint NOT NULL,
        outstanding_pence bigint NOT NULL,
        status text NOT NULL CONSTRAINT ck_receivable_status
            CHECK (status IN ('open', 'overdue', 'settled', 'cancelled')),
        overdue_on date,
        settled_on date,
        on_hold boolean NOT NULL,
        dunning_level smallint NOT NULL,
        last_notice_on date,
        last_notice_sent_on date,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_receivable_system_reference UNIQUE (system, reference),
        CONSTRAINT uq_receivable_number UNIQUE (number),
        CONSTRAINT ck_receivable_sums CHECK (gross_pence > 0 AND net_pence + vat_pence = gross_pence),
        CONSTRAINT ck_receivable_outstanding CHECK (outstanding_pence BETWEEN 0 AND gross_pence),
        CONSTRAINT ck_receivable_status_of_balance
            CHECK ((outstanding_pence > 0) = (status IN ('open', 'overdue'))),
        CONSTRAINT ck_receivable_dates CHECK (due_on >= issued_on)
    ) WITH (fillfactor = 85)
    """,
    "CREATE INDEX ix_receivable_customer_id ON receivable (customer_id)",
    "CREATE INDEX ix_receivable_status_due_on ON receivable (status, due_on)",
    """
    CREATE TABLE cancellation (
        id uuid CONSTRAINT pk_cancellation PRIMARY KEY,
        receivable_id uuid NOT NULL
            CONSTRAINT fk_cancellation_receivable_id_receivable REFERENCES receivable (id),
        cancelled_on date NOT NULL,
        amount_pence bigint NOT NULL CONSTRAINT ck_cancellation_amount_pence CHECK (amount_pence > 0),
        vat_pence bigint NOT NULL,
        reason text NOT NULL CONSTRAINT ck_cancellation_reason CHECK (reason IN ('raised_in_error', 'duplicate',
            'wrong_customer', 'wrong_amount', 'service_not_given', 'dispute_upheld', 'other')),
        cancelled_by text NOT NULL,
        cancelled_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_cancellation_receivable_id ON cancellation (receivable_id)",
)

RECEIPTS = (
    """
    CREATE TABLE receipt (
        id uuid CONSTRAINT pk_receipt PRIMARY KEY,
        version integer NOT NULL,
        system text NOT NULL,
        reference text NOT NULL,
        received_on date NOT NULL,
        amount_pence bigint NOT NULL CONSTRAINT ck_receipt_amount_pence CHECK (amount_pence > 0),
        allocated_pence bigint NOT NULL,
        method text NOT NULL,
        payer_reference text,
        customer_id uuid CONSTRAINT fk_receipt_customer_id_customer REFERENCES customer (id),
        status text NOT NULL CONSTRAINT ck_receipt_status CHECK (status IN ('received', 'reversed')),
        reversed_on date,
        reversal_reason text,
        created_at timestamptz NOT NULL,
        content_hash text NOT NULL,
        on_account_reason text,
        CONSTRAINT uq_receipt_system_reference UNIQUE (system, reference),
        CONSTRAINT ck_receipt_allocated CHECK (allocated_pence BETWEEN 0 AND amount_pence),
        CONSTRAINT ck_receipt_reversed CHECK ((status = 'reversed') = (reversed_on IS NOT NULL))
    )
    """,
    "CREATE INDEX ix_receipt_customer_id ON receipt (customer_id)",
    "CREATE INDEX ix_receipt_received_on ON receipt (received_on)",
    """
    CREATE TABLE allocation (
        id uuid CONSTRAINT pk_allocation PRIMARY KEY,
        receipt_id uuid NOT NULL CONSTRAINT fk_allocation_receipt_id_receipt REFERENCES receipt (id),
        receivable_id uuid NOT NULL CONSTRAINT fk_allocation_receivable_id_receivable REFERENCES receivable (id),
        amount_pence bigint NOT NULL CONSTRAINT ck_allocation_amount_pence CHECK (amount_pence > 0),
        basis text NOT NULL,
        allocated_on date NOT NULL,
        allocated_by text NOT NULL,
        reversed_on date
    )
    """,
    "CREATE INDEX ix_allocation_receipt_id ON allocation (receipt_id)",
    "CREATE INDEX ix_allocation_receivable_id ON allocation (receivable_id)",
)

HOLDS = (
    """
    CREATE TABLE hold (
        id uuid CONSTRAINT pk_hold PRIMARY KEY,
        version integer NOT NULL,
        customer_id uuid NOT NULL CONSTRAINT fk_hold_customer_id_customer REFERENCES customer (id),
        receivable_id uuid CONSTRAINT fk_hold_receivable_id_receivable REFERENCES receivable (id),
        kind text NOT NULL CONSTRAINT ck_hold_kind CHECK (kind IN ('dispute', 'breathing_space', 'arrangement',
            'vulnerability', 'insolvency', 'deceased', 'service_query')),
        reason text NOT NULL,
        owner text NOT NULL,
        placed_on date NOT NULL,
        review_on date NOT NULL,
        ends_on date NOT NULL,
        placed_by text NOT NULL,
        placed_at timestamptz NOT NULL,
        released_at timestamptz,
        released_by text,
        release_reason text,
        CONSTRAINT ck_hold_dates CHECK (review_on >= placed_on AND ends_on >= review_on)
    )
    """,
    "CREATE INDEX ix_hold_receivable_id ON hold (receivable_id) WHERE released_at IS NULL",
    "CREATE INDEX ix_hold_customer_id ON hold (customer_id) WHERE released_at IS NULL",
)

# Source: receivables.md §2.1 (derived ladder): reminder due+7, final notice due+21. At due+35 the source has the letter
# of claim to individuals; that is a legal step with enclosures and clocks of its own (Pre-Action Protocol, §2.2) and is
# an officer's. What is sent to everybody on that day is the notice that says so.
DEFAULT_LADDER = """[
    {"level": 1, "days_overdue": 7, "interval_days": 0, "template": "reminder",
     "channel": "preferred", "minimum_pence": 1, "stops": false},
    {"level": 2, "days_overdue": 21, "interval_days": 14, "template": "final_notice",
     "channel": "preferred", "minimum_pence": 1, "stops": false},
    {"level": 3, "days_overdue": 35, "interval_days": 14, "template": "pre_legal_notice",
     "channel": "letter", "minimum_pence": 1, "stops": true}
]"""

DUNNING = (
    """
    CREATE TABLE dunning_procedure (
        id uuid CONSTRAINT pk_dunning_procedure PRIMARY KEY,
        name text NOT NULL,
        debt_type text,
        customer_kind text,
        effective_from date NOT NULL,
        levels jsonb NOT NULL,
        source text NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_dunning_procedure_debt_type_customer_kind_effective_from
            UNIQUE NULLS NOT DISTINCT (debt_type, customer_kind, effective_from)
    )
    """,
    f"""
    INSERT INTO dunning_procedure VALUES ('00000000-0000-7000-8000-000000000001', 'Standard ladder', NULL, NULL,
        '2000-01-01', '{DEFAULT_LADDER}', 'receivables.md §2.1, default ladder (derived)', 'migration',
        '2026-01-01T00:00:00Z')
    """,
    """
    CREATE TABLE dunning_run (
        id uuid CONSTRAINT pk_dunning_run PRIMARY KEY,
        version integer NOT NULL,
        status text NOT NULL CONSTRAINT ck_dunning_run_status CHECK (status IN ('proposed', 'issued', 'cancelled')),
        as_at date NOT NULL,
        procedure_id uuid CONSTRAINT fk_dunning_run_procedure_id_dunning_procedure REFERENCES dunning_procedure (id),
        department text,
        debt_type text,
        found jsonb NOT NULL,
        outcome jsonb NOT NULL,
        proposed_by text NOT NULL,
        proposed_at timestamptz NOT NULL,
        closed_by text,
        closed_at timestamptz,
        issued_on date
    )
    """,
    "CREATE INDEX ix_dunning_run_proposed_at ON dunning_run (proposed_at)",
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
        level, days_overdue, outstanding_pence, due_on, last_notice_on ON dunning_item
    FOR EACH STATEMENT EXECUTE FUNCTION dunning_item_is_a_snapshot()
    """,
    """
    CREATE TRIGGER dunning_item_is_kept BEFORE DELETE ON dunning_item
    FOR EACH STATEMENT EXECUTE FUNCTION dunning_item_is_a_snapshot()
    """,
    """
    CREATE TABLE dunning_item_event (
        id uuid CONSTRAINT pk_dunning_item_event PRIMARY KEY,
        run_id uuid NOT NULL,
        receivable_id uuid NOT NULL,
        action text NOT NULL,
        reason text NOT NULL,
        by text NOT NULL,
        by_name text NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT fk_dunning_item_event_run_id_receivable_id_dunning_item
            FOREIGN KEY (run_id, receivable_id) REFERENCES dunning_item (run_id, receivable_id)
    )
    """,
    "CREATE INDEX ix_dunning_item_event_run_id_receivable_id ON dunning_item_event (run_id, receivable_id)",
    """
    CREATE TABLE dunning_notice (
        id uuid CONSTRAINT pk_dunning_notice PRIMARY KEY,
        run_id uuid NOT NULL CONSTRAINT fk_dunning_notice_run_id_dunning_run REFERENCES dunning_run (id),
        receivable_id uuid NOT NULL,
        customer_id uuid NOT NULL,
        procedure_id uuid NOT NULL,
        level smallint NOT NULL,
        template text NOT NULL,
        channel text NOT NULL,
        issued_on date NOT NULL,
        due_on date NOT NULL,
        days_overdue integer NOT NULL,
        outstanding_pence bigint NOT NULL,
        last_notice_on date,
        approved_by text NOT NULL,
        delivery_status text NOT NULL CONSTRAINT ck_dunning_notice_delivery_status
            CHECK (delivery_status IN ('issued', 'sent', 'delivered', 'failed')),
        delivery_at timestamptz NOT NULL,
        message_id uuid,
        failure_reason text,
        sent_on date,
        CONSTRAINT uq_dunning_notice_run_id_receivable_id UNIQUE (run_id, receivable_id)
    )
    """,
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
    for statement in (*CUSTOMERS, *JOURNAL, *RECEIVABLES, *RECEIPTS, *HOLDS, *DUNNING):
        op.execute(statement.replace(":00", "\\:00"))


def downgrade() -> None:
    for table in (
        "dunning_notice",
        "dunning_item_event",
        "dunning_item",
        "dunning_run",
        "dunning_procedure",
        "hold",
        "allocation",
        "receipt",
        "cancellation",
        "receivable",
        "journal_line",
        "journal_entry",
        "customer",
    ):
        op.execute(f"DROP TABLE {table}")
    for function in ("journal_balances", "journal_is_immutable", "dunning_item_is_a_snapshot"):
        op.execute(f"DROP FUNCTION {function}")
