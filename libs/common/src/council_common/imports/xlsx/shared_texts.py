"""The texts of a workbook, which writes each of them once and points to it from its cells."""

import re
from array import array
from typing import Final

from council_common.imports.limits import Limits
from council_common.imports.xlsx.archive import WorkbookArchive, bomb, damaged
from council_common.imports.xlsx.xml_stream import Attributes, stream

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


class SharedTexts:
    """Packed bytes and where each text ends: a tenth of what as many Python strings would take.

    Source: ECMA-376 part 1 §18.4.9 (sst). Raises `UnreadableFile` beyond `limits.workbook_shared_bytes`.
    """

    def __init__(self, limits: Limits) -> None:
        self._most_bytes = limits.workbook_shared_bytes
        self._packed = bytearray()
        self._ends = array("Q", [0])

    def read(self, archive: WorkbookArchive, path: str) -> None:
        """Take in the part with the texts."""
        reader = _Items(self)
        starts = {"si": reader.start_item, "t": reader.start_text, "rPh": reader.start_phonetic}
        ends = {"si": reader.end_item, "t": reader.end_text, "rPh": reader.end_phonetic}
        for _ in stream(archive.pieces(path), starts=starts, ends=ends, text=reader.add):
            pass

    def add(self, text: str) -> None:
        """Put a text behind the others."""
        self._packed += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._packed))
        self.bound(0)

    def bound(self, more: int) -> None:
        """Raise `UnreadableFile` when the texts and `more` characters are too much."""
        size = len(self._packed) + len(self._ends) * self._ends.itemsize + more
        if size > self._most_bytes:
            raise bomb(f"{size:,} bytes of texts", f"at most {self._most_bytes:,}")

    def text(self, index: int, most_bytes: int) -> str | None:
        """A text by its number; None where it is longer than `most_bytes`."""
        if not 0 <= index < len(self._ends) - 1:
            raise damaged(f"a cell points to text {index:,}, which is not there")
        begin, end = self._ends[index], self._ends[index + 1]
        if end - begin > most_bytes:
            return None
        return self._packed[begin:end].decode("utf-8", "surrogatepass")


class _Items:
    """Gathers the texts of an item's runs; how an East Asian word is spoken is no part of it."""

    def __init__(self, texts: SharedTexts) -> None:
        self._texts = texts
        self._parts: list[str] = []
        self._length = 0
        self._wanted = self._is_phonetic = False

    def start_item(self, _: Attributes) -> None:
        self._parts, self._length = [], 0

    def start_phonetic(self, _: Attributes) -> None:
        self._is_phonetic = True

    def end_phonetic(self) -> None:
        self._is_phonetic = False

    def start_text(self, _: Attributes) -> None:
        self._wanted = not self._is_phonetic

    def end_text(self) -> None:
        self._wanted = False

    def add(self, text: str) -> None:
        if self._wanted:
            self._length += len(text)
            self._texts.bound(self._length)
            self._parts.append(text)

    def end_item(self) -> None:
        self._texts.add(unescaped("".join(self._parts)))


def unescaped(text: str) -> str:
    """The text with `_x000D_` as the character that XML has no way to write (ECMA-376 part 1 §22.9.2.19)."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), text)
