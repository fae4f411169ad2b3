"""The XML of a workbook's parts as a stream of elements: no tree is built and nothing grows without a bound.

expat reads what is well-formed and nothing else. A document type is refused, because entities hide in it
(ECMA-376 part 2 forbids it); so is what would make the parser itself grow: elements nested or named without end,
a tag that never closes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar
from xml.parsers import expat

from council_common.imports.problems import UnreadableFile
from council_common.imports.xlsx.archive import EXPECTED, damaged

Attributes = dict[str, str]
OnStart = Callable[[Attributes], None]
OnEnd = Callable[[], None]
_Started = Callable[[str, Attributes], None]
_Ended = Callable[[str], None]
_Handler = TypeVar("_Handler")

# ECMA-376 names elements by two families: transitional, which Excel writes, and strict, which it offers.
_NAMESPACES: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/package/2006/relationships",
)
_SEPARATOR: Final = "}"
_MOST_NESTED: Final = 100
_MOST_NAMES: Final = 20_000
_LONGEST_TAG: Final = 1024 * 1024


def stream(
    pieces: Iterable[bytes],
    *,
    starts: Mapping[str, OnStart],
    ends: Mapping[str, OnEnd] | None = None,
    text: Callable[[str], object] | None = None,
) -> Iterator[None]:
    """Call the handlers named by an element's local name; yield after each piece, for who takes what they gathered.

    Raises `UnreadableFile`: `xml-entities` for a document type, `damaged-workbook` for anything not well-formed.
    """
    names: dict[str, str] = {}
    parser = expat.ParserCreate(None, _SEPARATOR, names)
    started, ended = _counting_depth(_qualified(starts), _qualified(ends or {}))
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    if text is not None:
        parser.CharacterDataHandler = text
    fed = 0
    try:
        for piece in pieces:
            parser.Parse(piece)
            fed += len(piece)
            if fed - parser.CurrentByteIndex > _LONGEST_TAG:
                raise damaged("a tag has no end")
            if len(names) > _MOST_NAMES:
                raise damaged("the elements have too many names")
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise damaged(f"a part is not well-formed XML: {error}") from None
    yield


def _counting_depth(starts: Mapping[str, OnStart], ends: Mapping[str, OnEnd]) -> tuple[_Started, _Ended]:
    """What passes elements on to their handlers and counts how deep they stand. Closures: this is the hot loop."""
    depth = 0
    start_of, end_of = starts.get, ends.get

    def started(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > _MOST_NESTED:
            raise damaged("elements are nested too deeply")
        if (handler := start_of(name)) is not None:
            handler(attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        if (handler := end_of(name)) is not None:
            handler()

    return started, ended


def _qualified(handlers: Mapping[str, _Handler]) -> dict[str, _Handler]:
    return {f"{space}{_SEPARATOR}{name}": handlers[name] for space in _NAMESPACES for name in handlers}


def _refuse_document_type(*_: object) -> None:
    raise UnreadableFile("xml-entities", "a part of the workbook declares a document type", EXPECTED)
