"""The physical lines of a text file, numbered as an editor numbers them, in blocks of bounded size."""

from collections.abc import Callable, Iterable, Iterator

from council_common.imports.encodings import decoded, text_bytes
from council_common.imports.limits import Limits
from council_common.imports.problems import UnreadableFile

Source = Callable[[], Iterable[bytes]]


class CountedBytes:
    """The bytes as they were sent, counted while they pass."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.bytes_read = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._source():
            self.bytes_read += len(chunk)
            yield chunk


class PhysicalLines:
    """Lines with their ends (LF, CRLF, CR, also mixed), decoded block by block.

    `skip_through` may be raised at any time: lines up to that number are counted but not decoded.
    Raises `UnreadableFile` for a line longer than `limits.record_chars` bytes.
    """

    def __init__(self, chunks: Iterable[bytes], *, limits: Limits) -> None:
        self._chunks = chunks
        self._limits = limits
        self._lines_read = 0
        self.skip_through = 0
        self.saw_nul = False

    def blocks(self) -> Iterator[list[str]]:
        """Each block's decoded lines; blocks that are skipped whole are not yielded."""
        for raw in self._raw_blocks():
            skipped = max(0, self.skip_through - self._lines_read)
            self._lines_read += len(raw)
            wanted = raw[skipped:] if skipped else raw
            if wanted:
                yield decoded(wanted)

    def _raw_blocks(self) -> Iterator[list[bytes]]:
        rest = b""
        for block in text_bytes(self._chunks, block_bytes=self._limits.block_bytes):
            if b"\0" in block:
                self.saw_nul = True
            # bytes.splitlines ends lines at \n, \r\n and \r only; str.splitlines at seven more characters.
            lines = (rest + block).splitlines(keepends=True)
            # A last line without its end goes on in the next block, and \r may be half of \r\n.
            rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
            self._bound([*lines, rest])
            if lines:
                yield lines
        if rest:
            yield [rest]

    def _bound(self, lines: list[bytes]) -> None:
        most = self._limits.record_chars
        if max(map(len, lines)) > most:
            number = self._lines_read + 1 + next(i for i, line in enumerate(lines) if len(line) > most)
            raise UnreadableFile(
                "line-too-long",
                f"line {number} is longer than {most:,} bytes",
                f"records of at most {most:,} bytes, ended by a line end",
            )
