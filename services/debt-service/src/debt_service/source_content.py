"""What a source sent first, as a hash: by it the same content is recognised when it comes again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any


def content_hash(new: Any) -> str:
    """The SHA-256 of a dataclass as its source sent it.

    The record itself moves on (a customer is changed, a receipt's customer is found), so it cannot be compared. Absent
    fields are left out: a field the schema gains later changes no hash.
    """
    named = {name: value for name, value in asdict(new).items() if value is not None}
    content = json.dumps(named, default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
