"""How much of everything an import accepts, so that no file can take the memory of the service."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one import. The defaults are far above any honest file and far below a worker's memory.

    `record_chars` also bounds the raw text kept with a refusal, so that a refused record is never cut.
    Of a workbook only its texts are held in memory, each once (`workbook_shared_bytes`); the other bounds are
    against files that would take the worker's time: parts that unpack beyond all measure, cells far outside, texts
    that are repeated until they are gigabytes (`workbook_text_chars`).
    """

    batch_records: int = 5_000
    block_bytes: int = 256 * 1024
    record_lines: int = 1_000
    record_chars: int = 64 * 1024
    columns: int = 1_000
    header_search_lines: int = 50
    workbook_bytes: int = 50 * MEBIBYTE
    workbook_parts: int = 2_000
    workbook_part_bytes: int = 32 * MEBIBYTE
    workbook_unpacked_bytes: int = 600 * MEBIBYTE
    workbook_shared_bytes: int = 128 * MEBIBYTE
    workbook_ratio: int = 200
    workbook_rows: int = 1_048_576
    workbook_cells: int = 50_000_000
    workbook_text_chars: int = 200_000_000
