"""Finding the line that names the columns, wherever the sender put it."""

from collections.abc import Sequence
from dataclasses import dataclass

from council_common.imports.column_binding import ColumnBinding
from council_common.imports.limits import Limits
from council_common.imports.mapping import Mapping, same_name
from council_common.imports.problems import UnreadableFile


@dataclass(frozen=True, slots=True)
class Header:
    """`first` and `records` are its place among the candidates and how many of them it took (one or two)."""

    binding: ColumnBinding
    first: int
    records: int


def find_header(candidates: Sequence[list[str]], mapping: Mapping, limits: Limits) -> Header:
    """The first of a file's opening records whose names satisfy the mapping.

    Titles and notes before it are passed over. A second line that names the columns of a group
    (`Amount,,` over `Gross,VAT,Net`) is read as part of the header. Raises `UnreadableFile` with what the
    likeliest header lacks.
    """
    if not any(any(map(str.strip, cells)) for cells in candidates):
        raise UnreadableFile("empty-file", "the file begins with blank lines only", "a header line and records")
    refusals: list[tuple[int, UnreadableFile]] = []
    for position, cells in enumerate(candidates):
        if len(cells) > limits.columns:
            detail = f"record {position + 1} has {len(cells):,} fields"
            raise UnreadableFile("too-many-columns", detail, f"at most {limits.columns:,} columns")
        below = candidates[position + 1] if position + 1 < len(candidates) else []
        merged = _merged(cells, below)
        try:
            binding = mapping.bind(merged or cells)
        except UnreadableFile as refusal:
            if refusal.code in ("ambiguous-columns", "one-column-for-two-fields"):
                raise
            refusals.append((mapping.matched(cells), refusal))
            continue
        return Header(binding, position, 2 if merged else 1)
    raise max(refusals, key=lambda found: found[0])[1]


def repeats(binding: ColumnBinding, cells: list[str]) -> bool:
    """Whether a record is the header line once more, as in files that were joined."""
    wanted = [same_name(name) for name in binding.header[: binding.width]]
    found = [same_name(cell) for cell in cells]
    return found[: binding.width] == wanted and not any(found[binding.width :])


def _merged(head: list[str], below: list[str]) -> list[str] | None:
    """The names of a two-line header, None when the second line is not part of it."""
    filled = [index for index, cell in enumerate(below) if cell.strip()]
    if not filled or any(any(map(str.isdigit, below[index])) for index in filled):
        return None
    last = max((index for index, cell in enumerate(head) if cell.strip()), default=-1)
    new_names = 0
    for index in filled:
        if index >= last:
            return None
        if not head[index].strip():
            new_names += 1
        elif head[index + 1].strip():
            # A filled cell under a name that stands for one column: the second line is a record.
            return None
    if not new_names:
        return None
    under = dict.fromkeys(filled)
    return [below[i] if i in under else cell for i, cell in enumerate(head)]
