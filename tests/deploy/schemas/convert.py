"""Make JSON Schemas from CustomResourceDefinitions: `python convert.py CRD.yaml ...` writes them beside this file.

Descriptions are dropped, and unknown fields are refused as the API server's strict validation does.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
KINDS = {
    "Gateway", "HTTPRoute", "ClientTrafficPolicy", "BackendTrafficPolicy", "SecurityPolicy", "HTTPRouteFilter",
    "EnvoyProxy", "ScaledObject",
}  # fmt: skip


def plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields", False)
    kept = {
        key: {name: plain(value) for name, value in inner.items()} if key == "properties" else plain(inner)
        for key, inner in schema.items()
        if not key.startswith("x-kubernetes-") and not (key == "description" and isinstance(inner, str))
    }
    if "properties" in kept and not open_ended:
        kept.setdefault("additionalProperties", False)
    return kept


def convert(definition: dict[str, Any]) -> None:
    kind = definition["spec"]["names"]["kind"]
    if kind not in KINDS:
        return
    for version in definition["spec"]["versions"]:
        if version["storage"]:
            schema = plain(version["schema"]["openAPIV3Schema"])
            text = json.dumps(schema, separators=(",", ":"), sort_keys=True)
            (HERE / f"{kind}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        for document in yaml.safe_load_all(Path(argument).read_text(encoding="utf-8")):
            if document and document["kind"] == "CustomResourceDefinition":
                convert(document)
