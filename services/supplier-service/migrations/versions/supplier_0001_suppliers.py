"""Market sectors, suppliers and holds, bank accounts and their changes, onboardings.

Revision ID: supplier_0001
"""

from alembic import op

revision = "supplier_0001"
down_revision = None
branch_labels = ("supplier",)
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE market_sector (
        id uuid CONSTRAINT pk_market_sector PRIMARY KEY,
        version integer NOT NULL,
        code text NOT NULL,
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_market_sector_code UNIQUE (code)
    )
    """,
    """
    CREATE TABLE supplier (
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
    "CREATE INDEX ix_supplier_market_sector ON supplier (market_sector)",
    "CREATE INDEX ix_supplier_company_number ON supplier (company_number)",
    "CREATE INDEX ix_supplier_status ON supplier (status) WHERE status <> 'active'",
    "CREATE INDEX ix_supplier_change_open ON supplier (id) WHERE open_bank_account_change_id IS NOT NULL",
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
        placed_at timestamptz NOT NULL,
        released_by text,
        released_at timestamptz,
        release_note text,
        CONSTRAINT ck_supplier_hold_released CHECK ((released_at IS NULL) = (released_by IS NULL))
    )
    """,
    "CREATE INDEX ix_supplier_hold_supplier_id ON supplier_hold (supplier_id)",
    """
    CREATE TABLE bank_account_change (
        id uuid CONSTRAINT pk_bank_account_change PRIMARY KEY,
        supplier_id uuid NOT NULL CONSTRAINT fk_bank_account_change_supplier_id_supplier REFERENCES supplier (id),
        version integer NOT NULL,
        status text NOT NULL,
        sort_code text NOT NULL,
        account_number text NOT NULL,
        account_name text NOT NULL,
        account_name_matches boolean NOT NULL,
        name_changed_on date,
        requested_via text NOT NULL,
        note text NOT NULL,
        requested_by text NOT NULL,
        requested_at timestamptz NOT NULL,
        called_back_by text,
        approved_by text,
        approved_at timestamptz,
        cooling_off_until date,
        warned_otherwise text,
        rejected_by text,
        rejected_at timestamptz,
        activated_at timestamptz,
        CONSTRAINT ck_bank_account_change_status
            CHECK (status IN ('requested', 'evidence', 'called_back', 'approved', 'active', 'rejected')),
        CONSTRAINT ck_bank_account_change_caller_is_not_requester CHECK (requested_by <> called_back_by),
        CONSTRAINT ck_bank_account_change_approver_is_a_third
            CHECK (approved_by NOT IN (requested_by, called_back_by)),
        CONSTRAINT ck_bank_account_change_approved
            CHECK (status NOT IN ('approved', 'active') OR (approved_by IS NOT NULL AND called_back_by IS NOT NULL
                   AND cooling_off_until IS NOT NULL))
    )
    """,
    """
    CREATE UNIQUE INDEX uq_bank_account_change_open ON bank_account_change (supplier_id)
        WHERE status NOT IN ('active', 'rejected')
    """,
    "CREATE INDEX ix_bank_account_change_supplier_id ON bank_account_change (supplier_id)",
    "CREATE INDEX ix_bank_account_change_status_cooling_off_until ON bank_account_change (status, cooling_off_until)",
    """
    CREATE TABLE bank_account_evidence (
        id uuid CONSTRAINT pk_bank_account_evidence PRIMARY KEY,
        change_id uuid NOT NULL
            CONSTRAINT fk_bank_account_evidence_change_id_bank_account_change REFERENCES bank_account_change (id),
        kind text NOT NULL,
        reference text NOT NULL,
        note text,
        added_by text NOT NULL,
        added_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_bank_account_evidence_change_id ON bank_account_evidence (change_id)",
    """
    CREATE TABLE bank_account_call_back (
        id uuid CONSTRAINT pk_bank_account_call_back PRIMARY KEY,
        change_id uuid NOT NULL
            CONSTRAINT fk_bank_account_call_back_change_id_bank_account_change REFERENCES bank_account_change (id),
        contact_id uuid NOT NULL,
        outcome text NOT NULL,
        note text NOT NULL,
        called_by text NOT NULL,
        called_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_bank_account_call_back_change_id ON bank_account_call_back (change_id)",
    """
    CREATE TABLE bank_account_warning_contact (
        change_id uuid NOT NULL
            CONSTRAINT fk_bank_account_warning_contact_change_id_bank_account_change REFERENCES bank_account_change (id),
        position integer NOT NULL,
        name text NOT NULL,
        email text NOT NULL,
        held text NOT NULL,
        removed_on date,
        CONSTRAINT pk_bank_account_warning_contact PRIMARY KEY (change_id, position),
        CONSTRAINT ck_bank_account_warning_contact_held CHECK (held IN ('current', 'removed')),
        CONSTRAINT ck_bank_account_warning_contact_removed_on
            CHECK ((held = 'removed') = (removed_on IS NOT NULL))
    )
    """,
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
    # Superseded, never edited (payables.md §4): not even by somebody at the database's own prompt.
    """
    CREATE FUNCTION refuse_edit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'rows of % are superseded, never edited', TG_TABLE_NAME; END $$
    """,
    *(
        f"""
        CREATE TRIGGER refuse_edit BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_edit()
        """
        for table in (
            "bank_account",
            "bank_account_evidence",
            "bank_account_call_back",
            "bank_account_warning_contact",
        )
    ),
    # Until it is used, the account that was approved stands in the case: what was asked for, and what was approved,
    # is edited no more than an account.
    """
    CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.status NOT IN ('active', 'rejected')
                AND (NEW.id, NEW.supplier_id, NEW.sort_code, NEW.account_number, NEW.account_name,
                     NEW.account_name_matches, NEW.name_changed_on, NEW.requested_via, NEW.note, NEW.requested_by,
                     NEW.requested_at)
                    IS NOT DISTINCT FROM
                    (OLD.id, OLD.supplier_id, OLD.sort_code, OLD.account_number, OLD.account_name,
                     OLD.account_name_matches, OLD.name_changed_on, OLD.requested_via, OLD.note, OLD.requested_by,
                     OLD.requested_at)
                AND (OLD.approved_by IS NULL
                     OR (NEW.called_back_by, NEW.approved_by, NEW.approved_at, NEW.cooling_off_until,
                         NEW.warned_otherwise)
                        IS NOT DISTINCT FROM
                        (OLD.called_back_by, OLD.approved_by, OLD.approved_at, OLD.cooling_off_until,
                         OLD.warned_otherwise))
            THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'what was asked for, approved or ended in % is never edited', TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE TRIGGER refuse_rewrite BEFORE UPDATE OR DELETE ON bank_account_change
        FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()
    """,
    """
    CREATE TABLE onboarding (
        id uuid CONSTRAINT pk_onboarding PRIMARY KEY,
        supplier_id uuid NOT NULL CONSTRAINT fk_onboarding_supplier_id_supplier REFERENCES supplier (id),
        version integer NOT NULL,
        stage text NOT NULL,
        stage_on date NOT NULL,
        owner text,
        terms jsonb,
        opened_by text NOT NULL,
        opened_at timestamptz NOT NULL,
        CONSTRAINT uq_onboarding_supplier_id UNIQUE (supplier_id),
        CONSTRAINT ck_onboarding_stage
            CHECK (stage IN ('prospect', 'contacted', 'interested', 'agreed', 'declined')),
        CONSTRAINT ck_onboarding_agreed_to_terms CHECK (stage <> 'agreed' OR terms IS NOT NULL)
    )
    """,
    "CREATE INDEX ix_onboarding_stage ON onboarding (stage)",
    "CREATE INDEX ix_onboarding_owner ON onboarding (owner)",
    """
    CREATE TABLE onboarding_activity (
        id uuid CONSTRAINT pk_onboarding_activity PRIMARY KEY,
        onboarding_id uuid NOT NULL
            CONSTRAINT fk_onboarding_activity_onboarding_id_onboarding REFERENCES onboarding (id),
        kind text NOT NULL,
        "on" date NOT NULL,
        text text NOT NULL,
        added_by text NOT NULL,
        added_at timestamptz NOT NULL
    )
    """,
    'CREATE INDEX ix_onboarding_activity_onboarding_id_on_id ON onboarding_activity (onboarding_id, "on", id)',
)

TABLES = (
    "onboarding_activity",
    "onboarding",
    "bank_account",
    "bank_account_warning_contact",
    "bank_account_call_back",
    "bank_account_evidence",
    "bank_account_change",
    "supplier_hold",
    "supplier_removed_email",
    "supplier",
    "market_sector",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION refuse_edit")
    op.execute("DROP FUNCTION refuse_rewrite")
