"""Bytes to text, line by line, without guessing for the whole file.

Councils send UTF-8, Windows-1252 and now and then both in the same file, because rows were pasted from two systems.
So each physical line is read as UTF-8 and, where that fails, as Windows-1252: a byte that fails in line 90,000
cannot spoil the lines before it, the result does not depend on how the bytes were cut into chunks, and the file
is read once. A Windows-1252 line that happens to be valid UTF-8 with accents has not been met.
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import Final

from council_common.imports.problems import UnreadableFile

# Each of these is a byte order mark: as it should be, decoded as Windows-1252 and encoded again, the same
# once more, and a mixture that one council published.
_MARKS: Final = (
    codecs.BOM_UTF8,
    "ï»¿".encode(),
    "Ã¯Â»Â¿".encode(),
    "Ã¯»¿".encode(),
)
_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UTF32: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_SAMPLE_BYTES: Final = 4096


def text_bytes(chunks: Iterable[bytes], *, block_bytes: int) -> Iterator[bytes]:
    """Even blocks of the file's bytes, without byte order marks, UTF-16 turned into UTF-8.

    Raises `UnreadableFile` for an empty file, for UTF-32 and for bytes that are not text.
    """
    blocks = _even_blocks(chunks, block_bytes)
    first = next(blocks, b"")
    if not first:
        raise UnreadableFile("empty-file", "the file holds no bytes", "a file with a header line and records")
    utf16 = None if first.startswith(_UTF32) else _UTF16.get(first[:2])
    if utf16 is not None:
        yield from _transcoded(first[2:], blocks, utf16)
        return
    first = without_marks(first)
    _refuse_binary(first[:_SAMPLE_BYTES])
    if first:
        yield first
    yield from blocks


def without_marks(first: bytes) -> bytes:
    """Take every byte order mark off the start, however often and however badly it was written."""
    while True:
        for mark in _MARKS:
            if first.startswith(mark):
                first = first[len(mark) :]
                break
        else:
            return first


def decoded(lines: list[bytes]) -> list[str]:
    """The text of physical lines."""
    try:
        return list(map(bytes.decode, lines))
    except UnicodeDecodeError:
        return [_line_text(line) for line in lines]


def _line_text(line: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    # Five bytes (81, 8D, 8F, 90, 9D) mean nothing in Windows-1252; Latin-1 knows every byte.
    return line.decode("latin-1")


def _even_blocks(chunks: Iterable[bytes], block_bytes: int) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for chunk in chunks:
        for start in range(0, len(chunk), block_bytes):
            part = chunk[start : start + block_bytes]
            gathered.append(part)
            size += len(part)
            if size >= block_bytes:
                yield b"".join(gathered)
                gathered.clear()
                size = 0
    if gathered:
        yield b"".join(gathered)


def _transcoded(first: bytes, blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        start = without_marks(decoder.decode(first).encode())
        if start:
            yield start
        for block in blocks:
            # Half a character comes out as nothing yet.
            if text := decoder.decode(block).encode():
                yield text
        decoder.decode(b"", final=True)
    except UnicodeError:
        raise UnreadableFile(
            "wrong-encoding", f"the file says it is {encoding} but is not", "UTF-8, Windows-1252 or UTF-16"
        ) from None


def _refuse_binary(sample: bytes) -> None:
    # A stray NUL spoils its record only (see csv_records); a NUL in every fifty bytes means this never was text.
    if sample.count(0) * 50 > len(sample):
        raise UnreadableFile(
            "binary-file",
            "the file begins with bytes that are no text (a workbook, or UTF-16 without its mark)",
            "text in UTF-8, Windows-1252 or UTF-16 with a byte order mark",
        )
