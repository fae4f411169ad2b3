"""Writes what other systems program against: `python docs/contracts/generate.py [--check]`.

Events: `asyncapi.yaml`, `schemas/`, `examples/`. HTTP: `openapi/<service>.json`. With `--check` nothing is written
and stale files are an error. Once version 1 is out, a document that would take something away from its readers is
refused: make a V2.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from council_common.published_language.asyncapi import asyncapi
from council_common.published_language.events import example_of, published_events, schema_of
from council_common.published_language.shrinkages import shrinkages
from council_common.runtime.settings import ServiceSettings
from council_common.service.command import Service

HERE = Path(__file__).parent
VERSION_1_IS_OUT = False
"""Until docs/api.md says so, documents may shrink; from then on they only grow."""
SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")


def service(name: str) -> Service:
    """A service's description, from its composition root."""
    found: Service = importlib.import_module(f"{name}_service.main").SERVICE
    return found


def openapi_of(name: str) -> dict[str, Any]:
    """The OpenAPI document of a service, without starting it."""
    of = service(name)
    settings_type: type[ServiceSettings] = importlib.import_module(f"{name}_service.settings").Settings
    settings = settings_type(
        _env_file=None,
        database_url="postgresql://nowhere",
        kafka_bootstrap_servers="nowhere:1",
        oidc_issuer="https://issuer",
        log_level="ERROR",
    )
    return of.create_api(settings).openapi()


def documents() -> dict[Path, str]:
    """Every document by its path."""
    subscriptions = {f"{name}-service": sorted(service(name).handlers.types) for name in SERVICES}
    made = {HERE / "asyncapi.yaml": yaml.safe_dump(asyncapi(subscriptions), sort_keys=False, width=110)}
    for name, event_type in published_events().items():
        made[HERE / "schemas" / f"{name}.json"] = as_json(schema_of(event_type))
        made[HERE / "examples" / f"{name}.json"] = as_json(example_of(event_type))
    for name in SERVICES:
        made[HERE / "openapi" / f"{name}-service.json"] = as_json(openapi_of(name))
    return made


def as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def broken_promises(made: dict[Path, str]) -> list[str]:
    """Where a new document takes from its readers what the committed one gave."""
    found: list[str] = []
    for path in sorted((HERE / "schemas").glob("*.json")):
        if path not in made:
            found.append(f"{path.name}: the event is gone")
        else:
            found += [
                f"{path.name}: {lost}" for lost in shrinkages(json.loads(path.read_text()), json.loads(made[path]))
            ]
    for path in sorted((HERE / "openapi").glob("*.json")):
        found += [
            f"{path.name}: {lost}" for lost in taken_from_clients(json.loads(path.read_text()), json.loads(made[path]))
        ]
    return found


def taken_from_clients(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a new OpenAPI document takes from clients of the old one.

    Operations, parameters and fields that are gone, and what a request must have now and need not have had before.
    """
    found: list[str] = []
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            name = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                found.append(f"{name} is gone")
                continue
            asked_before, asked = _asked(before, old), _asked(after, new)
            answered_before, answered = _answered(before, old), _answered(after, new)
            found += [f"{name} takes {input_} no longer" for input_ in asked_before.keys() - asked.keys()]
            found += [
                f"{name} must have {input_} now"
                for input_, must in asked.items()
                if must and not asked_before.get(input_, False)
            ]
            found += [f"{name} answers {field} no longer" for field in answered_before.keys() - answered.keys()]
    return sorted(found)


def _asked(operation: dict[str, Any], document: dict[str, Any]) -> dict[str, bool]:
    """What a request may have, parameters and fields of the body, and whether it must."""
    asked = {f"{one['in']} {one['name']}": bool(one.get("required")) for one in operation.get("parameters", ())}
    return asked | _fields(_json(operation.get("requestBody", {})), document)


def _answered(operation: dict[str, Any], document: dict[str, Any]) -> dict[str, bool]:
    """The fields of what says that it worked."""
    found: dict[str, bool] = {}
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            found |= {status: True} | _fields(_json(response), document)
    return found


def _json(holder: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _fields(
    schema: dict[str, Any], document: dict[str, Any], where: str = "", seen: tuple[str, ...] = ()
) -> dict[str, bool]:
    """Every field by its path (`lines[].net_pence`), and whether it is always there when what holds it is."""
    if (reference := schema.get("$ref")) is not None:
        if reference in seen:
            return {}
        schema, seen = document["components"]["schemas"][reference.rsplit("/", 1)[-1]], (*seen, reference)
    found: dict[str, bool] = {}
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= _fields(choice, document, where, seen)
    if "items" in schema:
        found |= _fields(schema["items"], document, f"{where}[]", seen)
    for name, field in schema.get("properties", {}).items():
        path = f"{where}.{name}".removeprefix(".")
        found |= {path: name in schema.get("required", ())} | _fields(field, document, path, seen)
    return found


def main(arguments: list[str]) -> int:
    made = documents()
    if VERSION_1_IS_OUT and (broken := broken_promises(made)):
        print("Readers of the published documents would lose:", *broken, sep="\n  ")
        return 1
    stale = [path for path, content in made.items() if not path.exists() or path.read_text() != content]
    if "--check" in arguments:
        if stale:
            print("Stale, run `make contracts`:", *(path.relative_to(HERE) for path in stale), sep="\n  ")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(made[path])
    print(f"{len(made)} documents, {len(stale)} written.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
