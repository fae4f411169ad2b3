"""Whether a file posing as a workbook may be opened: nothing in it is trusted before it was counted.

A workbook is a ZIP archive of XML parts. Before the reader sees it every part is unpacked here once, in pieces,
against bounds: the archive's own figures may lie. A declared entity could grow a part again, so that a part
with a document type is refused (ECMA-376 part 2 forbids it), and a cell far outside would make the reader reserve
a sheet of billions of cells. A part is looked at whatever it is called: which one is a sheet, another part says.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Final

from council_common.imports.limits import Limits
from council_common.imports.problems import UnreadableFile
from council_common.imports.xlsx_text import check_repeated_text

EXPECTED: Final = "an Excel workbook (.xlsx) without a password"
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_PIECE: Final = 256 * 1024
_OVERLAP: Final = 128
_DOCTYPES: Final = tuple("<!DOCTYPE".encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be"))
_ROW_OR_CELL: Final = re.compile(rb"<(?:[^\s<>/:]+:)?(row|c)(?=[\s/>])([^>]*)>")
_BEGUN_ROW_OR_CELL: Final = re.compile(rb"<(?:[^\s<>/:]+:)?(?:row|c)\s")
_REFERENCE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)0*([0-9]*)["']""")
_LONGEST_TAG: Final = 64 * 1024
_LOCAL_HEADER: Final = 30


def check_workbook(file: IO[bytes], limits: Limits) -> None:
    """Return when `file` (seekable, at its start) is safe to open; raise `UnreadableFile` otherwise."""
    _check_kind(file)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            _check_contents(parts)
            _check_directory(parts, limits)
            unpacked = 0
            for part in parts:
                unpacked += _check_part(file, part, limits, unpacked)
            check_repeated_text(parts, lambda part: unpacked_pieces(file, part), limits)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError) as error:
        raise UnreadableFile("damaged-workbook", f"the archive is damaged: {error}", EXPECTED) from None


def _check_kind(file: IO[bytes]) -> None:
    start = file.read(8)
    file.seek(0)
    if not start:
        raise UnreadableFile("empty-file", "the file holds no bytes", EXPECTED)
    if start.startswith(_OLE):
        encrypted = "EncryptedPackage".encode("utf-16-le") in file.read()
        file.seek(0)
        if encrypted:
            raise UnreadableFile("encrypted-workbook", "the workbook has a password", EXPECTED)
        raise UnreadableFile("old-workbook", "the file is an Excel 97-2003 workbook (.xls)", EXPECTED)
    if not start.startswith(b"PK"):
        raise UnreadableFile("not-a-workbook", "the file is no workbook, whatever its name says", EXPECTED)


def _check_contents(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    if "mimetype" in names and "content.xml" in names:
        raise UnreadableFile("open-document", "the file is an OpenDocument spreadsheet (.ods)", EXPECTED)
    if "xl/workbook.bin" in names:
        raise UnreadableFile("binary-workbook", "the file is a binary workbook (.xlsb)", EXPECTED)
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise UnreadableFile("not-a-workbook", "the archive holds no workbook", EXPECTED)
    if len(names) != len(parts):
        raise UnreadableFile("damaged-workbook", "the archive holds two parts of one name", EXPECTED)


def _check_directory(parts: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(parts) > limits.workbook_parts:
        raise _bomb(f"{len(parts):,} parts", f"at most {limits.workbook_parts:,}")
    end = 0
    for part in sorted(parts, key=lambda one: one.header_offset):
        if part.flag_bits & 1:
            raise UnreadableFile("encrypted-workbook", "a part of the workbook is encrypted", EXPECTED)
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableFile("damaged-workbook", "a part is packed in an unknown way", EXPECTED)
        # Parts that share their bytes are how a small archive becomes petabytes.
        if part.header_offset < end:
            raise _bomb("parts that overlap", "parts one behind the other")
        end = part.header_offset + _LOCAL_HEADER + part.compress_size


def _check_part(file: IO[bytes], part: zipfile.ZipInfo, limits: Limits, before: int) -> int:
    """Unpack one part within the bounds that are left; returns its true size in bytes."""
    size, tail = 0, b""
    is_xml = part.filename.lower().endswith((".xml", ".rels", ".vml"))
    sheet = _Extent(limits)
    ratio_bound = limits.workbook_ratio * max(part.compress_size, 4096)
    for piece in unpacked_pieces(file, part):
        size += len(piece)
        if before + size > limits.workbook_unpacked_bytes:
            raise _bomb("too much when unpacked", f"at most {limits.workbook_unpacked_bytes:,} bytes")
        if size > ratio_bound:
            raise _bomb(f"a part packed more than {limits.workbook_ratio} times", "an honest workbook")
        text = tail + piece
        if is_xml and any(mark in text for mark in _DOCTYPES):
            raise UnreadableFile("xml-entities", "a part of the workbook declares a document type", EXPECTED)
        sheet.look_at(piece)
        tail = text[-_OVERLAP:]
    if size != part.file_size:
        raise UnreadableFile("damaged-workbook", "a part is not as long as the archive says", EXPECTED)
    return size


def unpacked_pieces(file: IO[bytes], part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part's bytes by the packed bytes alone: zipfile itself would stop at the size that the archive claims."""
    file.seek(part.header_offset)
    local = file.read(_LOCAL_HEADER)
    name_length, extra_length = struct.unpack("<26xHH", local)
    file.seek(name_length + extra_length, 1)
    left = part.compress_size
    unpacker = None if part.compress_type == zipfile.ZIP_STORED else zlib.decompressobj(-zlib.MAX_WBITS)
    while left > 0:
        packed = file.read(min(left, _PIECE))
        if not packed:
            raise EOFError("it ends too early")
        left -= len(packed)
        if unpacker is None:
            yield packed
            continue
        while packed:
            yield unpacker.decompress(packed, _PIECE)
            packed = unpacker.unconsumed_tail
    if unpacker is not None:
        yield unpacker.flush()


class _Extent:
    """The rectangle that a sheet's cells span: what the reader will reserve.

    A cell may say where it stands (`r="B7"`); one that does not stands behind the one before it, and so do rows.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._row = self._column = 0
        self._last_row = self._last_column = 0
        self._begun = b""

    def look_at(self, piece: bytes) -> None:
        """Take in the rows and cells of the next piece. Raises `UnreadableFile` beyond the bounds."""
        text = self._begun + piece
        for found in _ROW_OR_CELL.finditer(text):
            named = _REFERENCE.search(found[2])
            if found[1] == b"row":
                self._row = _bounded_number(named[2]) if named else self._row + 1
                self._column = 0
            elif named:
                self._row, self._column = _bounded_number(named[2]), _column_number(named[1])
            else:
                self._column += 1
            self._last_row = max(self._last_row, self._row)
            self._last_column = max(self._last_column, self._column)
        # Whatever else looks like a place counts too: an attribute's value may hold a ">" or another reference.
        for letters, digits in _REFERENCE.findall(text):
            self._last_row = max(self._last_row, _bounded_number(digits))
            self._last_column = max(self._last_column, _column_number(letters))
        # A tag that is cut in two by the end of the piece is looked at with the next one.
        begun = text[max(text.rfind(b"<"), 0) :]
        self._begun = b"" if b">" in begun else begun
        if len(self._begun) > _LONGEST_TAG:
            if _BEGUN_ROW_OR_CELL.match(begun):
                raise UnreadableFile("damaged-workbook", "a cell of the sheet has no end", EXPECTED)
            self._begun = b""
        self._bound()

    def _bound(self) -> None:
        rows, columns, limits = self._last_row, self._last_column, self._limits
        if rows > limits.workbook_rows or columns > limits.columns:
            detail = f"the sheet reaches to row {rows:,}, column {columns:,}"
            most = f"at most {limits.workbook_rows:,} rows and {limits.columns:,} columns"
            raise UnreadableFile("sheet-too-large", detail, most)
        if rows * columns > limits.workbook_cells:
            detail = f"the sheet spans {rows:,} rows by {columns:,} columns"
            most = f"at most {limits.workbook_cells:,} cells; send large files as CSV"
            raise UnreadableFile("sheet-too-large", detail, most)


# A number of more digits, or a column of more letters, is beyond any bound already.
_MOST_DIGITS: Final = 12


def _bounded_number(digits: bytes) -> int:
    return int(digits[:_MOST_DIGITS] or b"0")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:_MOST_DIGITS].upper():
        number = number * 26 + letter - 64
    return number


def _bomb(found: str, most: str) -> UnreadableFile:
    return UnreadableFile("zip-bomb", f"the archive holds {found}", most)
