"""Source systems over HTTP: a resource of each service that records what others say."""

# Not `from __future__ import annotations`: the routes' types are known when a service's routes are made.
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from council_common.database.source_systems import SourceSystemBinding
from council_common.fields import NoteIn
from council_common.service.api import resource_router
from council_common.source_systems.lists import SourceSystemList
from council_common.source_systems.schemas import SourceSystemIn, SourceSystemOut
from council_common.source_systems.usecases import bind_source_system, end_binding
from council_common.web.acts import Act, acting
from council_common.web.resource_routes import reading_routes

Binding = Annotated[Act, acting("source-systems:write")]


def source_system_router(service: str) -> APIRouter:
    """The router of a service's source systems: `/v1/<service>-source-systems`."""
    router = resource_router(f"{service}-source-systems")

    @router.post("", status_code=201)
    async def bind(binding: SourceSystemIn, act: Binding) -> SourceSystemOut:
        """Let a client or a role record under a source system's name; once one may, nobody else does.

        A system that is the first to record under a name is bound by that. Never by who could use the binding herself.
        """
        made = await bind_source_system(
            act.session, binding.system, binding.caller_kind, binding.caller, note=binding.note, by=act.by, at=act.at
        )
        return _answer(act, made)

    reading_routes(router, SourceSystemList, SourceSystemOut, of=SourceSystemBinding, scope="source-systems:read")

    @router.post("/{source_system_binding_id}/endings", status_code=201)
    async def end(source_system_binding_id: UUID, ending: NoteIn, act: Binding) -> SourceSystemOut:
        """Take a name from a caller, once. A name whose last binding has ended is nobody's until it is bound again."""
        return _answer(
            act, await end_binding(act.session, source_system_binding_id, note=ending.note, by=act.by, at=act.at)
        )

    def _answer(act: Act, binding: SourceSystemBinding) -> SourceSystemOut:
        act.runtime.bindings.forget()
        act.answers(f"{router.prefix}/{binding.id}", binding.version)
        return SourceSystemOut.of(binding)

    return router
