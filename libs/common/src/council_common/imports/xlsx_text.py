"""How much text a workbook becomes once every repetition of a shared text has been copied out.

A workbook writes each text once and points to it from every cell; the reader copies it into each of them. One
text of a megabyte, pointed to a million times, is a bomb that no figure of the archive shows.
"""

import re
import zipfile
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Final

from council_common.imports.limits import Limits
from council_common.imports.problems import UnreadableFile

Unpack = Callable[[zipfile.ZipInfo], Iterator[bytes]]
_ITEM_END: Final = re.compile(rb"</(?:\w+:)?si\s*>|<(?:\w+:)?si\s*/>")
_INDEX: Final = re.compile(rb"<(?:\w+:)?v\b[^>]{0,64}>\s*([0-9]{1,9})\s*<")
_OVERLAP: Final = 128


def check_repeated_text(parts: list[zipfile.ZipInfo], unpack: Unpack, limits: Limits) -> None:
    """Raise `UnreadableFile` when the cells' texts together are beyond `limits.workbook_text_chars`.

    Counted from above: markup counts as text, and a number cell as though it pointed to a text.
    """
    # Which part holds the shared texts, another part says: whatever one is called, it may be they.
    lengths: list[int] = []
    for part in parts:
        found = list(_lengths(unpack(part)))
        lengths = list(map(max, zip_longest(lengths, found, fillvalue=0)))
    if not lengths:
        return
    total = 0
    for part in parts:
        for index in _indexes(unpack(part)):
            if index < len(lengths):
                total += lengths[index]
        if total > limits.workbook_text_chars:
            detail = f"the cells' texts come to {total:,} bytes when written out"
            raise UnreadableFile("zip-bomb", detail, f"at most {limits.workbook_text_chars:,}")


def _lengths(pieces: Iterator[bytes]) -> Iterator[int]:
    since, tail = 0, b""
    for piece in pieces:
        text, start = tail + piece, 0
        for end in _ITEM_END.finditer(text):
            yield since + end.end() - start
            since, start = 0, end.end()
        keep = min(len(text) - start, _OVERLAP)
        since += len(text) - start - keep
        tail = text[len(text) - keep :]


def _indexes(pieces: Iterator[bytes]) -> Iterator[int]:
    tail = b""
    for piece in pieces:
        text, start = tail + piece, 0
        for found in _INDEX.finditer(text):
            yield int(found[1])
            start = found.end()
        tail = text[max(start, len(text) - _OVERLAP) :]
