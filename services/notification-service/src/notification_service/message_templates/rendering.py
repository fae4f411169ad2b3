"""Filling in a template: Jinja in a sandbox that can format and choose, and do nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import date
from functools import lru_cache
from itertools import count
from typing import Any

from council_common.contact_details.characters import plain_lines
from council_common.errors import FieldError
from council_common.money import Money
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notification_service.message_templates.rules import CannotRender, InvalidTemplate, Rendered, is_sendable

MAX_SUBJECT = 200
MAX_RENDERED = 100_000
MAX_TURNS = 2_000
MAX_TAGS, MAX_TAG_TOKENS, MAX_NESTING = 500, 60, 10
MAX_VALUES = 100_000
_KEPT_FILTERS = ("capitalize", "default", "escape", "e", "first", "last", "length", "lower", "trim", "upper")
_CALLS = (
    *(nodes.Call, nodes.CallBlock, nodes.Macro, nodes.Block),
    *(nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends),
)
# HTML is escaped and text is not: a template does not choose.
_ESCAPES = (nodes.EvalContextModifier, nodes.ScopedEvalContextModifier)
# What makes a text or a list out of others, or keeps one: thirty doublings are ten gigabytes.
_GROWS = (nodes.Concat, nodes.Assign, nodes.AssignBlock, nodes.With, nodes.FilterBlock, nodes.List, nodes.Dict)
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


# How often the loops of the rendering under way have turned.
_turns: ContextVar[Iterator[int]] = ContextVar("turns")


def _counted(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        if next(_turns.get()) >= MAX_TURNS:
            raise SecurityError(f"more than {MAX_TURNS} turns")
        yield item


def _join(items: Iterable[Any], separator: str = "") -> str:
    """Jinja's `join`, which would make the whole text before it could be counted."""
    joined, length = [], 0
    for item in _counted(items):
        joined.append(str(item))
        length += len(joined[-1]) + len(separator)
        if length > MAX_RENDERED:
            raise SecurityError(f"more than {MAX_RENDERED} characters")
    return separator.join(joined)


class _Sandbox(ImmutableSandboxedEnvironment):
    """No calls, no arithmetic but with small whole numbers, no endless loops.

    A template of four lines must not fill the memory nor keep a worker busy for an hour.
    """

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def is_safe_callable(self, obj: Any) -> bool:
        del obj
        return False

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not (_is_small(left) and _is_small(right)):
            raise SecurityError(f"{operator} is not for templates")
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        return tree


def _is_small(value: Any) -> bool:
    return isinstance(value, int) and value.bit_length() <= 64


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
    sandbox.filters = {**filters, "money": money, "day": day, "join": _join, "counted": _counted}
    return sandbox


_PLAIN = _environment(autoescape=False)
_HTML = _environment(autoescape=True)


@lru_cache(maxsize=512)
def _compiled(source: str, html: bool) -> Template:
    return (_HTML if html else _PLAIN).from_string(source)


def placeholders_of(source: str, *, field: str) -> set[str]:
    """The placeholders a text uses; raises InvalidTemplate when it is no template or does what templates may not."""
    try:
        _must_be_small(source, field)
        tree = _PLAIN.parse(source)
        _must_be_harmless(tree, field)
        _compiled(source, field == "html")
        return meta.find_undeclared_variables(tree)
    except InvalidTemplate:
        raise
    except TemplateSyntaxError as wrong:
        raise _wrong(field, f"line {wrong.lineno}: {wrong.message}") from None
    except TemplateError as wrong:
        raise _wrong(field, str(wrong)) from None
    except Exception as fault:
        # What breaks the compiler (a number of five thousand digits, half an escape) is no template either.
        raise _wrong(field, f"cannot be read as a template ({type(fault).__name__})") from None


def _must_be_small(source: str, field: str) -> None:
    """Refuse what would keep a compiler or a rendering busy, before it is parsed: all the parser's work is bounded."""
    tags = tokens = nesting = 0
    for line, kind, word in _PLAIN.lex(source):
        if kind in {"variable_begin", "block_begin"}:
            tags, tokens = tags + 1, 0
        elif kind == "name" and tokens == 0:
            nesting += (word in {"if", "for"}) - word.startswith("end")
        tokens += kind not in {"data", "whitespace", "variable_begin", "block_begin"}
        if tokens > MAX_TAG_TOKENS:
            raise _wrong(field, f"line {line}: more than {MAX_TAG_TOKENS} words and signs between two braces")
        if tags > MAX_TAGS:
            raise _wrong(field, f"line {line}: more than {MAX_TAGS} placeholders, conditions and loops")
        if nesting > MAX_NESTING:
            raise _wrong(field, f"line {line}: conditions and loops stand in one another more than {MAX_NESTING} deep")


def _must_be_harmless(tree: nodes.Template, field: str) -> None:
    for refused in tree.find_all(_CALLS):
        raise _wrong(field, f"line {refused.lineno}: a template cannot call, import or include anything")
    for refused in tree.find_all(_ESCAPES):
        raise _wrong(field, f"line {refused.lineno}: whether values are escaped is not the template's to choose")
    for refused in tree.find_all((*_GROWS, nodes.Tuple)):
        if not isinstance(refused, nodes.Tuple) or refused.ctx == "load":
            raise _wrong(field, f"line {refused.lineno}: a template cannot make or keep texts and lists of its own")
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            raise _wrong(field, f"line {loop.lineno}: a loop cannot be recursive")


def _wrong(field: str, problem: str) -> InvalidTemplate:
    return InvalidTemplate("The text is an invalid template; see errors.", errors=[FieldError(field, problem)])


def render(*, subject: str, text: str, html: str | None, values: Mapping[str, Any]) -> Rendered:
    """The message in its final words; raises CannotRender. A subject is one line whatever the values hold."""
    if size_of(values, most=MAX_VALUES) > MAX_VALUES:
        raise CannotRender("values_too_large", f"more than {MAX_VALUES} characters")
    return Rendered(
        subject=one_line(_fill(subject, values, html=False))[:MAX_SUBJECT],
        text=_fill(text, values, html=False),
        html=None if html is None else _fill(html, values, html=True),
    )


def size_of(value: Any, *, most: int) -> int:
    """How many characters the texts of a value have, 10 for anything else; counting ends soon after `most`.

    >>> size_of({"a": ["bc", 1]}, most=100)
    33
    """
    size, waiting = 0, [value]
    while waiting and size <= most:
        part = waiting.pop()
        size += len(part) if isinstance(part, str) else 10
        if isinstance(part, Mapping):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple):
            waiting += part
    return size


def one_line(value: str) -> str:
    """Text without line breaks and control characters: what may stand in a header."""
    return _SPACE.sub(" ", value).strip()


def _fill(source: str, values: Mapping[str, Any], *, html: bool) -> str:
    """The text with the values in; raises CannotRender, also where it holds what no mail and no database can."""
    pieces: list[str] = []
    length = 0
    _turns.set(count())
    try:
        for piece in _compiled(source, html).generate(values):
            length += len(piece)
            if length > MAX_RENDERED:
                raise CannotRender("message_too_long", f"more than {MAX_RENDERED} characters")
            pieces.append(piece)
    except UndefinedError as missing:
        raise CannotRender("placeholder_missing", str(missing)) from None
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError) as wrong:
        # The message of a ValueError may repeat the value: only its kind is kept.
        raise CannotRender("template_error", type(wrong).__name__) from None
    # Kept and hashed is what a mail carries: line ends that only some programs know become spaces here, not on the way.
    filled = plain_lines("".join(pieces))
    if not is_sendable(filled):
        raise CannotRender("template_error", "a character that cannot be sent")
    return filled
