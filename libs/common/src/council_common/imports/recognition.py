"""Which column of a header is which field: by the sender's mapping, by name, by words, by content, in this order.

Where two columns fit equally well nobody chooses in silence: the sender is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from council_common.imports.column_content import ColumnContent
from council_common.imports.column_names import named_in_vain, number_of, places_of, same_name
from council_common.imports.problems import Doubt
from council_common.imports.vocabulary import Words, words_of

if TYPE_CHECKING:
    from council_common.imports.mapping import MappedField, Mapping

Why = Literal["mapping", "name", "words", "content"]
# A name that says no more than these may be settled by what its column holds.
_SAYS_LITTLE: Final = frozenset({"paid", "transaction"})
_PLAIN: Final = 2


@dataclass(frozen=True, slots=True)
class Found:
    """The column of a field, by the accepted name that matched, and why it was taken."""

    source: str
    index: int
    why: Why


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A column that a field may be read from; the lower `level` and `rank`, the better it fits."""

    index: int
    source: str
    level: int
    rank: int
    why: Why


class Recognition:
    """One header line, understood as far as it goes: `found` by field, and the `doubts`.

    Raises `UnreadableFile` where the sender's own mapping does not fit the header.
    """

    def __init__(self, mapping: Mapping, header: Sequence[str], sample: Sequence[Sequence[str]]) -> None:
        self.found: dict[str, Found] = {}
        self.doubts: list[Doubt] = []
        self._mapping = mapping
        self._header = header
        self._sample = sample
        self._places = places_of(header)
        self._words = [None if cell.startswith("_") or not cell.strip() else words_of(cell) for cell in header]
        self._contents: dict[int, ColumnContent] = {}
        self._shared = frozenset(map(same_name, mapping.shared))
        self._taken: dict[int, str] = {}
        self._asked_by_name: set[str] = set()
        for field in mapping.fields:
            if field.named:
                self._take_named(field)
        self._unbound = [field for field in mapping.fields if not field.named and field.constant is None]
        for field in list(self._unbound):
            self._unbound.remove(field)
            self._take(field, self._by_name(field) + self._by_words(field))
        for field in self._still_missing():
            self._take(field, self._by_some_words(field))
        self._take_by_content()
        self._ask_for_missing()

    @property
    def missing(self) -> list[MappedField]:
        """Fields whose column the file needs and does not have."""
        return self._still_missing()

    @property
    def is_by_name(self) -> bool:
        """Whether each needed column has a name that is known as it stands, or is asked about."""
        needed = (field for field in self._mapping.fields if field.presence != "optional")
        return all(
            field.constant is not None
            or field.name in self._asked_by_name
            or ((found := self.found.get(field.name)) is not None and found.why in ("mapping", "name"))
            for field in needed
        )

    def content(self, index: int) -> ColumnContent:
        """What the sample holds in a column."""
        if index not in self._contents:
            self._contents[index] = ColumnContent.of(cells[index] for cells in self._sample if index < len(cells))
        return self._contents[index]

    def _take_named(self, field: MappedField) -> None:
        for alternative in field.columns:
            name = same_name(alternative)
            here = [index for index in self._places.get(name, ()) if index not in self._taken or name in self._shared]
            if len(here) > 1:
                self._asked_by_name.add(field.name)
                self._ask(field, here)
                return
            if here:
                self._found(field, _Candidate(here[0], alternative, 0, 0, "mapping"))
                return
        raise named_in_vain(field, self._places, self._taken, self._header)

    def _take(self, field: MappedField, candidates: list[_Candidate]) -> None:
        """The best of the candidates, or a doubt where several are equally good."""
        if not candidates:
            return
        fitting = [one for one in candidates if self.content(one.index).may_hold(field.kind, names=field.holds_names)]
        fitting = fitting or [one for one in candidates if one.why == "name"]
        if not fitting:
            return
        if field.needs_certainty:
            best = min(one.level for one in fitting)
            equal = [one for one in fitting if one.level == best]
        else:
            best_one = min(fitting, key=lambda one: (one.why != "name", one.rank, one.level, one.index))
            equal = [
                one for one in fitting if (one.why, one.rank, one.level) == ("name", best_one.rank, best_one.level)
            ]
            equal = equal or [best_one]
        if len({one.index for one in equal}) > 1:
            if any(one.why == "name" for one in equal):
                self._asked_by_name.add(field.name)
            self._ask(field, sorted({one.index for one in equal}))
        else:
            self._found(field, min(equal, key=lambda one: one.why != "name"))

    def _take_by_content(self) -> None:
        """In a file that is not plainly of its kind, only if that settles all of it."""
        missing = self._still_missing()
        places = [[one.index for one in self._by_content(field)] for field in missing]
        settles_all = len(missing) < self._needed and len({tuple(some) for some in places if len(some) == 1}) == len(
            missing
        )
        if self._is_plain or settles_all:
            for field in missing:
                self._take(field, self._by_content(field))

    @property
    def _needed(self) -> int:
        return sum(field.presence != "optional" for field in self._mapping.fields)

    @property
    def _is_plain(self) -> bool:
        """Whether the file has two of the needed columns: it is one of its kind, whatever the others are called."""
        needed = [field.name for field in self._mapping.fields if field.presence != "optional"]
        return sum(name in self.found for name in needed) >= min(_PLAIN, len(needed))

    def _found(self, field: MappedField, chosen: _Candidate) -> None:
        self._taken.setdefault(chosen.index, field.name)
        self.found[field.name] = Found(chosen.source, chosen.index, chosen.why)

    def _free(self) -> list[int]:
        return [index for index, words in enumerate(self._words) if words is not None and index not in self._taken]

    def _by_name(self, field: MappedField) -> list[_Candidate]:
        levels = field.levels
        return [
            _Candidate(index, name, _level(levels, words_of(name), otherwise=rank), rank, "name")
            for rank, name in enumerate(field.columns)
            for index in self._places.get(same_name(name), ())
            if index not in self._taken or same_name(name) in self._shared
        ]

    def _by_words(self, field: MappedField) -> list[_Candidate]:
        """Columns whose name has exactly the words of the field, unless it is another field's name as it stands."""
        levels = field.levels
        if not levels:
            return []
        others = {same_name(name) for other in self._unbound for name in other.columns}
        own = {same_name(name) for name in field.columns}
        return [
            _Candidate(index, self._header[index], level, 1_000 + level, "words")
            for index in self._free()
            if (words := self._words[index]) is not None
            and not words.has_others
            and (level := _level(levels, words)) < len(levels)
            and (name := same_name(self._header[index])) not in own
            and name not in others
            and self._has_known_values(field, index)
        ]

    def _by_some_words(self, field: MappedField) -> list[_Candidate]:
        """Columns whose name has two words of the field or more among others, if they hold the right.

        One word is not enough: `Current Expiry Date` is no day of payment.
        """
        levels = field.levels
        return [
            _Candidate(index, self._header[index], level, 2_000 + level, "words")
            for index in self._free()
            if (words := self._words[index]) is not None
            and words.has_others
            and len(words.known) > 1
            and (level := _level(levels, words)) < len(levels)
            and self._holds(field, index)
        ]

    def _by_content(self, field: MappedField) -> list[_Candidate]:
        """Columns whose name says nothing and whose cells are right."""
        if field.kind == "text" and not field.holds_names:
            return []
        return [
            _Candidate(index, self._header[index], 0, 3_000, "content")
            for index in self._free()
            if (words := self._words[index]) is not None and words.known <= _SAYS_LITTLE and self._holds(field, index)
        ]

    def _holds(self, field: MappedField, index: int) -> bool:
        return self.content(index).holds(field.kind, names=field.holds_names)

    def _has_known_values(self, field: MappedField, index: int) -> bool:
        """Of a field with a list of values: whether the column's are on it."""
        if not field.values:
            return True
        cells = {cells[index].strip().casefold() for cells in self._sample if index < len(cells)} - {""}
        return cells <= field.values.keys()

    def _still_missing(self) -> list[MappedField]:
        asked = {doubt.field for doubt in self.doubts}
        return [
            field
            for field in self._mapping.fields
            if field.presence != "optional"
            and field.constant is None
            and field.name not in self.found
            and field.name not in asked
        ]

    def _ask_for_missing(self) -> None:
        """In a file that is plainly of its kind a column of the right content may be meant, whatever its name."""
        missing = self._still_missing()
        if not missing or not self._is_plain:
            return
        candidates = {
            field.name: [
                index for index in range(len(self._header)) if self._words[index] and self._holds(field, index)
            ]
            for field in missing
            if field.kind != "text" and field.levels
        }
        if len(candidates) == len(missing) and all(candidates.values()):
            for field in missing:
                self._ask(field, candidates[field.name])

    def _ask(self, field: MappedField, places: Sequence[int]) -> None:
        names = [self._header[index].strip() for index in places]
        one_name = len(set(map(same_name, names))) < len(names)
        candidates = tuple(str(number_of(self._header, index)) for index in places) if one_name else tuple(names)
        held = "; ".join(
            f"column {number_of(self._header, index)} ({name!r}) holds {self.content(index).shown}"
            for index, name in zip(places, names, strict=True)
        )
        self.doubts.append(
            Doubt(field.name, candidates, f"Which column is {field.name}: {' or '.join(candidates)}? {held}.")
        )


def _level(levels: Sequence[frozenset[frozenset[str]]], words: Words, *, otherwise: int | None = None) -> int:
    for level, alternatives in enumerate(levels):
        if words.known in alternatives:
            return level
    return len(levels) + (otherwise or 0)
