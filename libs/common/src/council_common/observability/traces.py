"""One trace follows a fact across services: W3C traceparent over HTTP and in every event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased

_tracer = trace.get_tracer("council")

MAX_LINKS = 2000
"""As many as a batch may have events; by default a span keeps the last 128."""


def configure_traces(service: str, *, endpoint: str | None) -> None:
    """Make trace ids for every request and event; spans are exported only where an endpoint is set."""
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    sampler = ParentBased(ALWAYS_ON) if endpoint else ALWAYS_OFF
    provider = TracerProvider(
        sampler=sampler,
        resource=Resource.create({"service.name": service}),
        span_limits=SpanLimits(max_links=MAX_LINKS),
    )
    if endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    trace.set_tracer_provider(provider)


@contextmanager
def span(
    name: str,
    *,
    parent: Mapping[str, str] | None = None,
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    links: Iterable[str] = (),
) -> Iterator[trace.Span]:
    """A span under the trace that `parent` (headers with a traceparent) names, or under the current one.

    `links` are the traceparents of spans of other traces whose work this one does.
    """
    context = extract(parent) if parent else None
    with _tracer.start_as_current_span(name, context=context, kind=kind) as current:
        if current.is_recording():
            for traceparent in links:
                linked = extract({"traceparent": traceparent}, context=Context())
                current.add_link(trace.get_current_span(linked).get_span_context())
        yield current


def current_traceparent() -> str | None:
    """The W3C traceparent of what is going on now, if anything is."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def current_trace_id() -> str | None:
    """The trace id to put in logs and problem documents."""
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None
