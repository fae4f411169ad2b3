"""Finding the line that names the columns, wherever the sender put it."""

from collections.abc import Sequence
from dataclasses import dataclass

from council_common.imports.column_binding import ColumnBinding
from council_common.imports.column_content import ColumnContent
from council_common.imports.limits import Limits
from council_common.imports.mapping import Mapping, same_name
from council_common.imports.problems import UnreadableFile
from council_common.imports.vocabulary import words_of


@dataclass(frozen=True, slots=True)
class Header:
    """`first` and `records` are its place among the candidates and how many of them it took (one or two)."""

    binding: ColumnBinding
    first: int
    records: int


def find_header(candidates: Sequence[list[str]], mapping: Mapping, limits: Limits, *, by_name: bool = False) -> Header:
    """The record of a file's opening ones that names its columns: the first whose names are known as they stand.

    Without one, and unless it has to be found `by_name`, it is the one in which most columns are recognised. Titles,
    queries and notes before it are passed over. A second line that names the columns of a group (`Amount,,` over
    `Gross,VAT,Net`) is read as part of the header. Raises `UnreadableFile` with what the likeliest header lacks.
    """
    if not any(any(map(str.strip, cells)) for cells in candidates):
        raise UnreadableFile("empty-file", "the file begins with blank lines only", "a header line and records")
    likely: list[tuple[int, Header]] = []
    refusals: list[tuple[int, UnreadableFile]] = []
    for position, cells in enumerate(candidates):
        if len(cells) > limits.columns:
            detail = f"record {position + 1} has {len(cells):,} fields"
            raise UnreadableFile("too-many-columns", detail, f"at most {limits.columns:,} columns")
        if _is_query(cells) or (refusals and not mapping.may_be_named_by(cells)):
            continue
        below = candidates[position + 1] if position + 1 < len(candidates) else []
        merged = _merged(cells, below)
        names, records = merged or cells, 2 if merged else 1
        try:
            recognised = mapping.recognise(names, candidates[position + records :])
            header = Header(mapping.bound(recognised, names), position, records)
        except UnreadableFile as refusal:
            if refusal.code == "one-column-for-two-fields":
                raise
            refusals.append((_matched(mapping, names), refusal))
            continue
        if recognised.is_by_name:
            return header
        if not _holds_values(names):
            likely.append((len(recognised.found), header))
    if likely and not by_name:
        return max(likely, key=lambda found: found[0])[1]
    if not refusals:
        raise UnreadableFile("missing-columns", "no line names the columns", "a header line and records")
    raise max(refusals, key=lambda found: found[0])[1]


def _is_query(cells: list[str]) -> bool:
    """Whether a line is the database query that made the file, which names columns too."""
    return cells[:1] != [] and cells[0].strip().casefold().startswith("select ")


def _holds_values(cells: list[str]) -> bool:
    """Whether a line has a date or an amount in it, as records have and headers have not."""
    content = ColumnContent.of(cells)
    return content.dates > 0 or content.pounds_and_pence > 0


def _matched(mapping: Mapping, header: Sequence[str]) -> int:
    """How many fields would find a column: the line of a file with most of them was meant as its header."""
    names = set(map(same_name, header))
    words = {words_of(cell).known for cell in header if cell.strip()}
    return sum(
        any(same_name(name) in names for name in field.columns) or any(level & words for level in field.levels)
        for field in mapping.fields
    )


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
