"""What an event is: a frozen model that knows its type, its topic and the aggregate it is about."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

_NAME = re.compile(r"^(?P<noun>[A-Z]\w+?)(?P<participle>[A-Z][a-z]+)V(?P<version>\d+)$")
_BY_TYPE: dict[str, type[Event]] = {}


class Event(BaseModel):
    """A fact another service may need. The class name says it all: `InvoicePaidV1`.

    Subscribers ignore fields they do not know; within a version only optional fields are added.
    No bank details, and no personal data beyond ids.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str] = ""
    producer: ClassVar[str] = ""
    key_field: ClassVar[str] = ""
    type: ClassVar[str] = ""

    version: Annotated[int, Field(ge=1, description="The aggregate's version after this fact; orders its events.")]
    occurred_at: Annotated[AwareDatetime, Field(description="When it happened (UTC).")]
    by: Annotated[str, Field(description="Subject id of the person or system who did it; never a name.")]

    def __init_subclass__(cls, **_: Any) -> None:
        """Takes the class arguments that `__pydantic_init_subclass__` reads."""
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(
        cls, *, topic: str | None = None, producer: str | None = None, key: str | None = None, **kwargs: Any
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.topic = topic or cls.topic
        cls.producer = producer or cls.producer
        cls.key_field = key or cls.key_field
        if named := _NAME.match(cls.__name__):
            noun = re.sub(r"(?<!^)(?=[A-Z])", "-", named["noun"]).lower()
            cls.type = f"uk.gov.council.{noun}.{named['participle'].lower()}.v{named['version']}"
            _BY_TYPE[cls.type] = cls

    @property
    def key(self) -> UUID:
        """The aggregate's id: events of one aggregate stay in order."""
        key: UUID = getattr(self, self.key_field)
        return key

    @classmethod
    def example(cls) -> Self:
        """One plausible event, from the first example of each field."""
        return cls.model_validate(
            {name: field.examples[0] for name, field in cls.model_fields.items() if field.examples}
            | {"version": 1, "occurred_at": datetime.fromisoformat("2026-03-11T09:30:00+00:00"), "by": "erp"}
        )


def event_types() -> dict[str, type[Event]]:
    """Every declared event by its CloudEvents type (import the contracts first)."""
    return dict(_BY_TYPE)
