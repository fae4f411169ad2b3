"""Changes name the version they change: `ETag` out, `If-Match` in (RFC 9110 §13.1.1)."""

from typing import Annotated

from fastapi import Header

from council_common.errors import StaleVersion, VersionRequired

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description='The ETag of the version you read, for example "3".')
]


def etag(version: int) -> str:
    """A version as an entity tag."""
    return f'"{version}"'


def must_match(if_match: str | None, version: int) -> None:
    """Raise StaleVersion (412) when the caller changed an older version, VersionRequired (428) when it names none."""
    if if_match is None:
        raise VersionRequired("Say which version you change: send If-Match with the ETag you read.")
    if if_match.strip() != "*" and if_match.strip().removeprefix("W/") != etag(version):
        raise StaleVersion(
            "Somebody changed this since you read it. Read it again and repeat your change.",
            current_version=version,
        )
