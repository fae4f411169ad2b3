"""Every list of every service pages by an index, in every order it offers: page 10,000 costs what page 1 does."""

import asyncio
import importlib
import json
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from enum import Enum
from typing import Any, get_args
from uuid import uuid4

import asyncpg
import pytest
from council_common.database.migrations import migrate
from council_common.database.sessions import driver_url, make_engine, make_sessions
from council_common.web.lists import ResourceList
from council_local.scratch import ScratchDatabases
from pydantic import ValidationError
from sqlalchemy import ARRAY, Column, Table, select
from sqlalchemy.dialects import postgresql

SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")
ROWS = 100_000


def lists_of(name: str) -> Iterator[type[ResourceList]]:
    """The lists that a service declares."""
    package = importlib.import_module(f"{name}_service")
    for module in pkgutil.walk_packages(package.__path__, f"{name}_service."):
        if module.name.rsplit(".", 1)[-1] == "lists":
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, ResourceList) and value is not ResourceList:
                    yield value


def made_up(column: Column[Any]) -> str:
    """SQL for a value of the column's type in row number g: enough different ones for an index to be worth it."""
    kind = column.type.compile(dialect=postgresql.dialect())
    if isinstance(column.type, ARRAY):
        return f"'{{}}'::{kind}"
    return {
        "UUID": "gen_random_uuid()",
        "DATE": "date '2024-01-01' + (g % 900)::int",
        "TIMESTAMP WITH TIME ZONE": "timestamptz '2024-01-01' + g * interval '1 minute'",
        "BOOLEAN": "false",
        "JSONB": "'{}'::jsonb",
        "BYTEA": "'\\x00'::bytea",
        "TEXT": "'x' || g",
    }.get(kind, f"(g % 30000)::{kind}")


async def fill(connection: asyncpg.Connection, table: Table) -> None:
    """Rows of no meaning, analysed; what a row must mean is switched off."""
    rules = await connection.fetch(
        "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('c', 'x', 'f')", table.name
    )
    for rule in rules:
        await connection.execute(f"ALTER TABLE {table.name} DROP CONSTRAINT {rule['conname']}")
    columns = [column for column in table.columns if column.computed is None]
    names, values = (
        ", ".join(f'"{column.name}"' for column in columns),
        ", ".join(made_up(column) for column in columns),
    )
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(f"INSERT INTO {table.name} ({names}) SELECT {values} FROM generate_series(1, {ROWS}) AS g")
    await connection.execute(f"ANALYZE {table.name}")


def page_behind(declared: type[ResourceList], name: str, row: Any) -> str:
    """The statement of a page behind a row, its values written out."""
    order = declared(sort=name).order
    page = order.page_of(select(*declared.table.c), behind=True)
    page = page.params(first=51, **order.read(order.cursor_of(tuple(row))))
    return str(page.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))


def middle_row(declared: type[ResourceList], name: str) -> str:
    """The statement that finds the keys of a row in the middle."""
    order = declared(sort=name).order
    statement = order.apply(order.labelled(select())).offset(ROWS // 2).limit(1)
    return str(statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


async def check_service(name: str, url: str) -> list[str]:
    """What is wrong with the lists of a service."""
    wrong: list[str] = []
    connection = await asyncpg.connect(driver_url(url), command_timeout=300)
    filled: set[str] = set()
    for declared in lists_of(name):
        if declared.table.name not in filled:
            await fill(connection, declared.table)
            filled.add(declared.table.name)
        for order in declared.orders:
            for sort in (order, f"-{order}"):
                row = await connection.fetchrow(middle_row(declared, sort))
                explained = await connection.fetchval("EXPLAIN (FORMAT JSON) " + page_behind(declared, sort, row))
                found = list(nodes(json.loads(explained)[0]["Plan"]))
                if any("Sort" in node["Node Type"] for node in found):
                    wrong.append(f"{declared.__name__} sorts by {sort} in memory")
                conditions = " ".join(node.get("Index Cond", "") for node in found)
                if ("ROW(" if order != "id" else "id") not in conditions:
                    wrong.append(
                        f"{declared.__name__} has no index condition for {sort}: {conditions or 'none at all'}"
                    )
    await connection.close()
    return wrong


@pytest.mark.parametrize("name", SERVICES)
def test_every_order_of_every_list_has_its_index(name: str, databases: ScratchDatabases) -> None:
    service = importlib.import_module(f"{name}_service.main").SERVICE
    assert list(lists_of(name)), "a service without lists"
    url = databases.fresh()
    migrate(service.folder, url)
    assert asyncio.run(check_service(name, url)) == []
    databases.drop([url])


SAMPLES = (
    "2026-03-11",
    "2026-03-11T09:30:00Z",
    str(uuid4()),
    "1",
    "true",
    "some_code",
    "some-name",
    "SOME",
    "some",
    "0" * 64,
)


def sample_of(declared: type[ResourceList], name: str) -> ResourceList:
    """The list asked with a value of this filter."""
    field = declared.model_fields[name]
    members = [str(member.value) for kind in kinds_in(field.annotation) for member in kind]
    for value in (*members[:1], *(field.examples or [])[:1], *SAMPLES):
        with suppress(ValidationError):
            return declared.model_validate({name: value})
    raise AssertionError(f"no sample is a value of {declared.__name__}.{name}")


def kinds_in(annotation: Any) -> Iterator[type[Enum]]:
    """The enumerations within an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        yield annotation
    for inner in get_args(annotation):
        yield from kinds_in(inner)


async def check_filters(name: str, url: str) -> list[str]:
    """Which filters of a service's lists PostgreSQL refuses."""
    wrong: list[str] = []
    engine = make_engine(url, pool_size=1)
    sessions = make_sessions(engine)
    for declared in lists_of(name):
        for filter_name in declared.conditions:
            asked = sample_of(declared, filter_name)
            try:
                async with sessions() as session:
                    await asked.page(session, today=date(2026, 3, 11))
                    if declared.csv_columns:
                        await session.execute(asked.csv_statement(today=date(2026, 3, 11)))
            except Exception as fault:
                wrong.append(f"{declared.__name__}.{filter_name}: {fault}")
    await engine.dispose()
    return wrong


@pytest.mark.parametrize("name", SERVICES)
def test_every_filter_of_every_list_is_a_condition_that_postgresql_takes(
    name: str, databases: ScratchDatabases
) -> None:
    service = importlib.import_module(f"{name}_service.main").SERVICE
    url = databases.fresh()
    migrate(service.folder, url)
    assert asyncio.run(check_filters(name, url)) == []
    databases.drop([url])


@pytest.mark.parametrize("name", SERVICES)
def test_no_list_sorts_by_what_may_be_missing(name: str) -> None:
    for declared in lists_of(name):
        for order, column in declared.orders.items():
            nullable = isinstance(column, Column) and column.nullable
            assert not nullable, f"{declared.__name__} sorts by {order}, which may be null"
