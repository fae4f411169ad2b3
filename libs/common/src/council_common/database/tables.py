"""The tables every service has beside its own, and the registry a service's rows hang on."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def service_registry() -> registry:
    """A registry of a service's own: SQLModel's global one crashes when two services name a table alike."""
    return registry(metadata=MetaData(naming_convention=NAMING))


platform = MetaData(naming_convention=NAMING)


class PlatformRow(SQLModel, registry=registry(metadata=platform)):
    """A row among the platform's tables."""


# Column names map to Debezium's outbox event router (docs/decisions/0001).
outbox = Table(
    "outbox",
    platform,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("topic", Text, nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

events_sent = Table(
    "events_sent",
    platform,
    Column("topic", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

inbox = Table(
    "inbox",
    platform,
    Column("event_id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("handled_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_inbox_handled_at", "handled_at"),
)

# How many marks the inbox has forgotten: with those it holds, what was ever handled (against `events_sent`).
events_forgotten = Table(
    "events_forgotten",
    platform,
    Column("type", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

dead_letter = Table(
    "dead_letter",
    platform,
    Column("id", Uuid, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("record_offset", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("type", Text),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("topic", "partition", "record_offset"),
    Index("ix_dead_letter_topic_key", "topic", "key", "partition", "record_offset"),
)

# Of jobs that run at clock times. Without an outcome it was begun, and not finished.
job_occurrence = Table(
    "job_occurrence",
    platform,
    Column("job", Text, primary_key=True),
    Column("due_at", DateTime(timezone=True), primary_key=True),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("outcome", Text),
    CheckConstraint("outcome IN ('registered', 'done', 'failed')", name="outcome"),
    CheckConstraint("(outcome IS NULL) = (finished_at IS NULL)", name="finished"),
)

idempotency_key = Table(
    "idempotency_key",
    platform,
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", SmallInteger),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_idempotency_key_created_at", "created_at"),
)

change = Table(
    "change",
    platform,
    Column("id", Uuid, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("entity_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text),
    Column("detail", JSONB, nullable=False, server_default="{}"),
    # Two facts about one thing never share a version: subscribers drop an event that is not newer than what they saw.
    Index("uq_change_entity_id_version", "entity_id", "version", unique=True),
)
