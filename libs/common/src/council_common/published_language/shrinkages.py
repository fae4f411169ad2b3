"""What a new JSON Schema takes from the readers of the old one."""

from __future__ import annotations

import math
from typing import Any

Seen = tuple[str, ...]


def shrinkages(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a new schema takes from readers of the old one; empty when they can read all that the new one allows.

    Found are fields that are gone or no longer always there, other types, further values of a closed list, wider
    bounds, and the same inside lists, choices and definitions.
    """
    return _shrunk(old, new, "", (old, new), ())


def _shrunk(
    old: dict[str, Any], new: dict[str, Any], where: str, documents: tuple[dict[str, Any], dict[str, Any]], seen: Seen
) -> list[str]:
    reference = old.get("$ref")
    if reference is not None and reference in seen:
        return []
    seen = (*seen, reference) if reference else seen
    old, new = _followed(old, documents[0]), _followed(new, documents[1])
    if "anyOf" in old or "anyOf" in new:
        choices = old.get("anyOf", [old])
        return [
            f"{where} may also be {_name(choice)}"
            for choice in new.get("anyOf", [new])
            if all(_shrunk(old_choice, choice, where, documents, seen) for old_choice in choices)
        ]
    found = [f"{where}: {key} was {old[key]} and is {new.get(key)}" for key in _wider(old, new)]
    found += [f"{where} may also be {value}" for value in _further_values(old, new)]
    if "items" in old:
        found += _shrunk(old["items"], new.get("items", {}), f"{where}[]", documents, seen)
    inside = f"{where}." if where else ""
    for name, old_field in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            found.append(f"{inside}{name} is gone")
        else:
            found += _shrunk(old_field, new["properties"][name], f"{inside}{name}", documents, seen)
    optional_now = set(old.get("required", [])) - set(new.get("required", []))
    return found + [f"{inside}{name} is no longer always there" for name in sorted(optional_now)]


def _wider(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The words of a schema by which the new one allows what the old one did not."""
    if "type" in old and old["type"] != new.get("type"):
        return ["type"]
    closed = bool(_values(new))
    other: list[str] = [key for key in ("format", "pattern") if key in old and old[key] != new.get(key) and not closed]
    lower: list[str] = [key for key in ("minimum", "minLength") if key in old and new.get(key, -math.inf) < old[key]]
    upper: list[str] = [key for key in ("maximum", "maxLength") if key in old and new.get(key, math.inf) > old[key]]
    return other + ([] if closed else lower + upper)


def _further_values(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Values of a closed list that were not there, where the old one is a closed list."""
    if not _values(old):
        return []
    return sorted(map(str, _values(new) - _values(old))) if _values(new) else ["anything"]


def _values(schema: dict[str, Any]) -> set[Any]:
    return {schema["const"]} if "const" in schema else set(schema.get("enum", ()))


def _followed(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A schema itself, where it only says where it stands in its document (`#/$defs/Name`)."""
    found: dict[str, Any] = document if "$ref" in schema else schema
    for part in schema.get("$ref", "#").split("/")[1:]:
        found = found[part]
    return found


def _name(choice: dict[str, Any]) -> str:
    return str(choice.get("$ref", choice.get("type", "anything"))).rsplit("/", 1)[-1]
