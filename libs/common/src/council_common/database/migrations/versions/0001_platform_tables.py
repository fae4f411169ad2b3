"""Outbox, inbox, dead letters, idempotency keys and history.

Revision ID: platform_0001
"""

from alembic import op

revision = "platform_0001"
down_revision = None
branch_labels = ("platform",)
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE outbox (
        position bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_outbox PRIMARY KEY,
        id uuid NOT NULL,
        topic text NOT NULL,
        aggregate_id uuid NOT NULL,
        type text NOT NULL,
        payload bytea NOT NULL
    )
    """,
    # Payloads are small and live for milliseconds: never compress them, never move them out of line.
    "ALTER TABLE outbox ALTER COLUMN payload SET STORAGE MAIN",
    # The queue's table is emptied all day long: vacuum it early.
    "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000)",
    """
    CREATE FUNCTION wake_relay() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('outbox', ''); RETURN NULL; END $$
    """,
    "CREATE TRIGGER wake_relay AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION wake_relay()",
    """
    CREATE TABLE events_sent (
        topic text NOT NULL,
        type text NOT NULL,
        count bigint NOT NULL,
        CONSTRAINT pk_events_sent PRIMARY KEY (topic, type)
    )
    """,
    """
    CREATE TABLE inbox (
        event_id uuid CONSTRAINT pk_inbox PRIMARY KEY,
        type text NOT NULL,
        handled_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX ix_inbox_handled_at ON inbox (handled_at)",
    """
    CREATE TABLE events_forgotten (
        type text CONSTRAINT pk_events_forgotten PRIMARY KEY,
        count bigint NOT NULL
    )
    """,
    """
    CREATE TABLE dead_letter (
        id uuid CONSTRAINT pk_dead_letter PRIMARY KEY,
        topic text NOT NULL,
        partition integer NOT NULL,
        record_offset bigint NOT NULL,
        key text NOT NULL,
        type text,
        payload bytea NOT NULL,
        reason text NOT NULL,
        attempts integer NOT NULL,
        failed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_dead_letter_topic_partition_record_offset UNIQUE (topic, partition, record_offset)
    )
    """,
    "CREATE INDEX ix_dead_letter_topic_key ON dead_letter (topic, key, partition, record_offset)",
    """
    CREATE TABLE idempotency_key (
        caller text NOT NULL,
        key text NOT NULL,
        request_hash bytea NOT NULL,
        status smallint,
        headers jsonb,
        body bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_idempotency_key PRIMARY KEY (caller, key)
    )
    """,
    "CREATE INDEX ix_idempotency_key_created_at ON idempotency_key (created_at)",
    """
    CREATE TABLE change (
        id uuid CONSTRAINT pk_change PRIMARY KEY,
        entity text NOT NULL,
        entity_id uuid NOT NULL,
        version integer NOT NULL,
        at timestamptz NOT NULL,
        by text NOT NULL,
        by_name text NOT NULL,
        action text NOT NULL,
        reason text,
        detail jsonb NOT NULL DEFAULT '{}'
    )
    """,
    # Two facts about one thing never share a version: subscribers drop an event that is not newer than what they saw.
    "CREATE UNIQUE INDEX uq_change_entity_id_version ON change (entity_id, version)",
    # For a statement that finds its work half done by another request at the same moment: all of it is taken back.
    """
    CREATE FUNCTION take_back(why text) RETURNS bigint LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '%', why USING ERRCODE = 'CP409'; END $$
    """,
    # Tables that callers list know when each row was last written (database/columns.py).
    """
    CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.changed_at = now(); RETURN NEW; END $$
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("change", "idempotency_key", "dead_letter", "events_forgotten", "inbox", "events_sent", "outbox"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION wake_relay")
    op.execute("DROP FUNCTION note_change")
    op.execute("DROP FUNCTION take_back")
