"""Bank-account changes with their evidence, call-backs and warned contacts.

Revision ID: supplier_0003
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "supplier_0003"
down_revision = "supplier_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE bank_account_change (
        changed_at timestamptz NOT NULL DEFAULT now(),
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
        requested_by_name text NOT NULL,
        requested_at timestamptz NOT NULL,
        called_back_by text,
        approved_by text,
        approved_by_name text,
        approved_at timestamptz,
        cooling_off_until date,
        warned_otherwise text,
        rejected_by text,
        rejected_by_name text,
        rejected_at timestamptz,
        activated_at timestamptz,
        CONSTRAINT ck_bank_account_change_status
            CHECK (status IN ('requested', 'evidence', 'called_back', 'approved', 'active', 'rejected')),
        CONSTRAINT ck_bank_account_change_requested_via
            CHECK (requested_via IN ('email', 'phone', 'letter', 'portal', 'in_person')),
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
    "CREATE INDEX ix_bank_account_change_requested_at_id ON bank_account_change (requested_at, id)",
    *listed_table("bank_account_change"),
    """
    CREATE TABLE bank_account_evidence (
        id uuid CONSTRAINT pk_bank_account_evidence PRIMARY KEY,
        change_id uuid NOT NULL
            CONSTRAINT fk_bank_account_evidence_change_id_bank_account_change REFERENCES bank_account_change (id),
        kind text NOT NULL,
        reference text NOT NULL,
        note text,
        added_by text NOT NULL,
        added_by_name text NOT NULL,
        added_at timestamptz NOT NULL,
        CONSTRAINT ck_bank_account_evidence_kind CHECK (kind IN (
            'bank_letter', 'bank_statement', 'amendment_form', 'headed_letter', 'invoice', 'other'))
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
        called_by_name text NOT NULL,
        called_at timestamptz NOT NULL,
        CONSTRAINT ck_bank_account_call_back_outcome
            CHECK (outcome IN ('confirmed', 'not_confirmed', 'another_account'))
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
    # Superseded, never edited: not even at the database's own prompt.
    """
    CREATE FUNCTION refuse_edit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'rows of % are superseded, never edited', TG_TABLE_NAME; END $$
    """,
    *(
        f"""
        CREATE TRIGGER refuse_edit BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_edit()
        """
        for table in ("bank_account_evidence", "bank_account_call_back", "bank_account_warning_contact")
    ),
    # Until it is used, the account that was approved stands in the case: what was requested, and what was approved,
    # is edited no more than an account.
    """
    CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF OLD.status NOT IN ('active', 'rejected')
                AND (NEW.id, NEW.supplier_id, NEW.sort_code, NEW.account_number, NEW.account_name,
                     NEW.account_name_matches, NEW.name_changed_on, NEW.requested_via, NEW.note, NEW.requested_by,
                     NEW.requested_by_name, NEW.requested_at)
                    IS NOT DISTINCT FROM
                    (OLD.id, OLD.supplier_id, OLD.sort_code, OLD.account_number, OLD.account_name,
                     OLD.account_name_matches, OLD.name_changed_on, OLD.requested_via, OLD.note, OLD.requested_by,
                     OLD.requested_by_name, OLD.requested_at)
                AND (OLD.approved_by IS NULL
                     OR (NEW.called_back_by, NEW.approved_by, NEW.approved_by_name, NEW.approved_at, NEW.cooling_off_until,
                         NEW.warned_otherwise)
                        IS NOT DISTINCT FROM
                        (OLD.called_back_by, OLD.approved_by, OLD.approved_by_name, OLD.approved_at, OLD.cooling_off_until,
                         OLD.warned_otherwise))
            THEN RETURN NEW; END IF;
        END IF;
        RAISE EXCEPTION 'what was requested, approved or ended in % is never edited', TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE TRIGGER refuse_rewrite BEFORE UPDATE OR DELETE ON bank_account_change
        FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in (
        "DROP TABLE bank_account_warning_contact",
        "DROP TABLE bank_account_call_back",
        "DROP TABLE bank_account_evidence",
        "DROP TABLE bank_account_change",
        "DROP FUNCTION refuse_edit",
        "DROP FUNCTION refuse_rewrite",
    ):
        op.execute(statement)
