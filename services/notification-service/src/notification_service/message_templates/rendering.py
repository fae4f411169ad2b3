"""Filling in a template: Jinja in a sandbox that can format and choose, and do nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from council_common.errors import FieldError
from council_common.money import Money
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notification_service.message_templates.rules import CannotRender, Rendered, TemplateWrong

MAX_SUBJECT = 200
MAX_RENDERED = 100_000
_KEPT_FILTERS = ("capitalize", "default", "escape", "e", "first", "join", "last", "length", "lower", "trim", "upper")
_REFUSED = (nodes.Call, nodes.CallBlock, nodes.Macro, nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)
_SPACE = re.compile(r"[\s\x00-\x1f\x7f\u2028\u2029]+")


def money(pence: Any) -> str:
    """Whole pence as people read them.

    >>> money(118800)
    '£1,188.00'
    """
    return str(Money(pence))


def day(value: Any) -> str:
    """An ISO date as people read it.

    >>> day("2026-03-11")
    '11 March 2026'
    """
    read = value if isinstance(value, date) else date.fromisoformat(value)
    return f"{read.day} {read:%B %Y}"


class _Sandbox(ImmutableSandboxedEnvironment):
    """No calls, and no arithmetic that makes text: a template of four lines must not fill the memory."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_callable(self, obj: Any) -> bool:
        del obj
        return False

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not (isinstance(left, int) and isinstance(right, int)):
            raise SecurityError(f"{operator} is not for templates")
        return super().call_binop(context, operator, left, right)


def _environment(*, autoescape: bool) -> _Sandbox:
    sandbox = _Sandbox(
        undefined=StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    sandbox.globals.clear()
    filters: dict[str, Callable[..., Any]] = {name: FILTERS[name] for name in _KEPT_FILTERS}
    sandbox.filters = {**filters, "money": money, "day": day}
    return sandbox


_PLAIN = _environment(autoescape=False)
_HTML = _environment(autoescape=True)


@lru_cache(maxsize=512)
def _compiled(source: str, html: bool) -> Template:
    return (_HTML if html else _PLAIN).from_string(source)


def placeholders_of(source: str, *, field: str) -> set[str]:
    """The placeholders a text uses; raises TemplateWrong when it is no template or does what templates may not."""
    try:
        tree = _PLAIN.parse(source)
        refused = next(tree.find_all(_REFUSED), None)
        if refused is not None:
            raise _wrong(field, f"line {refused.lineno}: a template cannot call, import or include anything")
        _compiled(source, field == "html")
        return meta.find_undeclared_variables(tree)
    except TemplateSyntaxError as wrong:
        raise _wrong(field, f"line {wrong.lineno}: {wrong.message}") from None
    except TemplateError as wrong:
        raise _wrong(field, str(wrong)) from None


def _wrong(field: str, problem: str) -> TemplateWrong:
    return TemplateWrong("The text is not a template we can use; see errors.", errors=[FieldError(field, problem)])


def render(*, subject: str, text: str, html: str | None, values: Mapping[str, Any]) -> Rendered:
    """The message in its final words; raises CannotRender. A subject is one line whatever the values hold."""
    return Rendered(
        subject=one_line(_fill(subject, values, html=False))[:MAX_SUBJECT],
        text=_fill(text, values, html=False),
        html=None if html is None else _fill(html, values, html=True),
    )


def one_line(value: str) -> str:
    """Text without line breaks and control characters: what may stand in a header."""
    return _SPACE.sub(" ", value).strip()


def _fill(source: str, values: Mapping[str, Any], *, html: bool) -> str:
    pieces: list[str] = []
    length = 0
    try:
        for piece in _compiled(source, html).generate(values):
            length += len(piece)
            if length > MAX_RENDERED:
                raise CannotRender("message_too_long", f"more than {MAX_RENDERED} characters")
            pieces.append(piece)
    except UndefinedError as missing:
        raise CannotRender("placeholder_missing", str(missing)) from None
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as wrong:
        # The message of a ValueError may repeat the value: only its kind is told.
        raise CannotRender("template_error", type(wrong).__name__) from None
    return "".join(pieces)
