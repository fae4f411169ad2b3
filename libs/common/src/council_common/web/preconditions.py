"""Changes name the version they change: `ETag` out, `If-Match` in (RFC 9110 §13.1.1)."""

import re
from typing import Annotated

from fastapi import Header

from council_common.errors import FieldError, Malformed, StaleVersion, VersionRequired

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description='The ETag of the version you read, for example "3".')
]

_ETAG = re.compile(r'(W/)?"[0-9]+"')
"""As `etag` writes them, also as a cache between may weaken them."""


class NoETag(Malformed):
    """`If-Match` is not an entity tag."""

    status = 400


def etag(version: int) -> str:
    """A version as an entity tag."""
    return f'"{version}"'


def must_match(if_match: str | None, version: int) -> None:
    """Raise StaleVersion (412) for an older version, VersionRequired (428) for none, NoETag (400) for anything else."""
    if if_match is None:
        raise VersionRequired("Say which version you change: send If-Match with the ETag you read.")
    given = if_match.strip()
    if given != "*" and not _ETAG.fullmatch(given):
        raise NoETag(
            "If-Match is no ETag of this: send the one you read, with its quotes.",
            errors=[FieldError("If-Match", "no ETag", 'the ETag you read with its quotes, such as "3"')],
        )
    if given not in ("*", etag(version), f"W/{etag(version)}"):
        raise StaleVersion(
            "Somebody changed this since you read it. Read it again and repeat your change.",
            current_version=version,
        )
