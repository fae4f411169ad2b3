"""The ZIP archive around a workbook: what kind of file it is, and its parts as bytes within bounds.

The archive's directory says how long each part will be. zipfile never unpacks more of a part than that, so that
a bomb is refused by its own figures; a part that turns out longer or shorter than its figure is damaged.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Final

from council_common.imports.limits import Limits
from council_common.imports.problems import UnreadableFile

EXPECTED: Final = "an Excel workbook (.xlsx) without a password"
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_LOCAL_HEADER: Final = 30
_PIECE: Final = 64 * 1024
# A packed part of a few bytes may be an honest row of spaces: the ratio is counted from here.
_SMALLEST_PACKED: Final = 4096
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OSError, NotImplementedError)


class WorkbookArchive:
    """The parts of a workbook by their paths, whatever their capitals. `file` is seekable and stays open.

    Raises `UnreadableFile` for anything but an .xlsx archive within the limits.
    """

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        _check_kind(file)
        try:
            self._archive = zipfile.ZipFile(file)
        except _DAMAGE as error:
            raise damaged(f"the archive is damaged: {error}") from None
        parts = self._archive.infolist()
        self._parts = {_same_path(part.filename): part for part in parts}
        self._check_contents(len(parts))
        _check_directory(parts, limits)

    def has(self, path: str) -> bool:
        """Whether the archive holds a part of this path."""
        return _same_path(path) in self._parts

    def size(self, path: str) -> int:
        """The bytes of an unpacked part. Raises `UnreadableFile` where it is missing."""
        return self._part(path).file_size

    def pieces(self, path: str) -> Iterator[bytes]:
        """The part's bytes, piece by piece. Raises `UnreadableFile` where it is missing or damaged."""
        part, size = self._part(path), 0
        try:
            with self._archive.open(part) as unpacked:
                while piece := unpacked.read(_PIECE):
                    size += len(piece)
                    yield piece
        except _DAMAGE as error:
            raise damaged(f"{path} is damaged or not as long as the archive says: {error}") from None
        if size != part.file_size:
            raise damaged(f"{path} is not as long as the archive says")

    def check(self, path: str) -> None:
        """Unpack a part once for nothing but its length and checksum, before anything of it is believed."""
        for _ in self.pieces(path):
            pass

    def _part(self, path: str) -> zipfile.ZipInfo:
        part = self._parts.get(_same_path(path))
        if part is None:
            raise damaged(f"the archive holds no part {path}")
        return part

    def _check_contents(self, parts: int) -> None:
        if self.has("mimetype") and self.has("content.xml"):
            raise UnreadableFile("open-document", "the file is an OpenDocument spreadsheet (.ods)", EXPECTED)
        if self.has("xl/workbook.bin"):
            raise UnreadableFile("binary-workbook", "the file is a binary workbook (.xlsb)", EXPECTED)
        if not (self.has("[Content_Types].xml") and self.has("xl/workbook.xml")):
            raise UnreadableFile("not-a-workbook", "the archive holds no workbook", EXPECTED)
        if len(self._parts) != parts:
            raise damaged("the archive holds two parts of one name")


def damaged(detail: str) -> UnreadableFile:
    """A workbook that breaks its own format."""
    return UnreadableFile("damaged-workbook", detail, EXPECTED)


def bomb(found: str, most: str) -> UnreadableFile:
    """A workbook that would grow beyond all measure."""
    return UnreadableFile("zip-bomb", f"the archive holds {found}", most)


def _same_path(path: str) -> str:
    return path.replace("\\", "/").lstrip("/").casefold()


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


def _check_directory(parts: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(parts) > limits.workbook_parts:
        raise bomb(f"{len(parts):,} parts", f"at most {limits.workbook_parts:,}")
    end = unpacked = 0
    for part in sorted(parts, key=lambda part: part.header_offset):
        if part.flag_bits & 1:
            raise UnreadableFile("encrypted-workbook", "a part of the workbook is encrypted", EXPECTED)
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise damaged("a part is packed in an unknown way")
        # Parts that share their bytes are how a small archive becomes petabytes.
        if part.header_offset < end:
            raise bomb("parts that overlap", "parts one behind the other")
        end = part.header_offset + _LOCAL_HEADER + part.compress_size
        unpacked += part.file_size
        if unpacked > limits.workbook_unpacked_bytes:
            raise bomb("too much when unpacked", f"at most {limits.workbook_unpacked_bytes:,} bytes")
        if part.file_size > limits.workbook_ratio * max(part.compress_size, _SMALLEST_PACKED):
            raise bomb(f"a part packed more than {limits.workbook_ratio} times", "an honest workbook")
