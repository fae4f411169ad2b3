"""Which columns of a sender's file mean which field, and how their cells are read."""

from collections.abc import Mapping as ByField
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from council_common.imports.cell_reader import CellReader, Kind
from council_common.imports.column_binding import Column, ColumnBinding
from council_common.imports.column_names import missing_columns, same_name
from council_common.imports.dates import DateOrder, MonthDay
from council_common.imports.recognition import Recognition
from council_common.imports.vocabulary import words_of

__all__ = ["MappedField", "Mapping", "same_name"]


class MappedField(BaseModel):
    """One field of a record.

    `columns` are alternatives, the first that the file has is taken; capitals, spaces and punctuation do not
    matter. `words` are names whose words are looked for in any order, level by level, best first; names of one level
    are equally good, so that of two columns the sender is asked. `holds_names`: its cells are names.

    `presence` is whether the file needs the column, and whether each record needs a value in it. `default` is read as
    though it stood in a blank cell. `blanks` are texts that mean blank (`N/A`). `named`: the sender named the column,
    so that a file without it is not the file that was meant. `constant` is the value of every record, whatever
    columns there are. `values` are the sender's words for a value of ours, without capitals. `month_day` is the day
    that stands for a month without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)
    columns: tuple[str, ...] = Field(min_length=1, max_length=50)
    kind: Kind = "text"
    presence: Literal["value", "column", "optional"] = "optional"
    default: str | None = None
    date_order: DateOrder = "dmy"
    excel_serial: bool = False
    blanks: tuple[str, ...] = ()
    max_length: int = Field(default=1_000, ge=1, le=32_767)
    named: bool = False
    words: tuple[tuple[str, ...], ...] = ()
    holds_names: bool = False
    constant: str | None = None
    values: dict[str, str] = Field(default_factory=dict)
    month_day: MonthDay | None = None

    @cached_property
    def levels(self) -> tuple[frozenset[frozenset[str]], ...]:
        """The words of each level, by their meaning."""
        return tuple(frozenset(words_of(name).known for name in names) for names in self.words)

    @property
    def needs_certainty(self) -> bool:
        """Whether of two columns that fit the sender is asked: money, dates, and what the file needs."""
        return self.kind != "text" or self.presence != "optional"

    def reader(self) -> CellReader:
        """What turns this field's cells into values."""
        return CellReader(
            field=self.name,
            kind=self.kind,
            required=self.presence == "value",
            default=self.default if self.constant is None else self.constant,
            blanks=self.blanks,
            order=self.date_order,
            excel_serial=self.excel_serial,
            max_length=self.max_length,
            values=self.values,
            month_day=self.month_day,
        )

    @model_validator(mode="after")
    def _default_is_readable(self) -> Self:
        if self.default is not None or self.constant is not None:
            self.reader()[""]
        return self


class Mapping(BaseModel):
    """The fields of a record, in the order of the row tuples that a reading yields.

    `amount` names the money field whose sum is kept. `totals`: senders of such files write a total among the
    records, which has nothing but an amount and is no record; elsewhere such a line is a broken record and
    refused. `extra_cells` is what becomes of a record with filled cells beyond the header: refused,
    or read without them (working columns left in by the sender). `shared` are columns that may serve several fields.
    `sheet` is the name of a workbook's sheet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[MappedField, ...] = Field(min_length=1, max_length=200)
    amount: str | None = None
    totals: bool = False
    extra_cells: Literal["refuse", "ignore"] = "refuse"
    shared: tuple[str, ...] = ()
    sheet: str | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError("two fields have the same name")
        if self.amount is not None:
            kinds = {field.name: field.kind for field in self.fields}
            if kinds.get(self.amount) not in ("money", "pence"):
                raise ValueError(f"amount names {self.amount!r}, which is no field of kind money or pence")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The fields' names, in the order of the row tuples."""
        return tuple(field.name for field in self.fields)

    def may_be_named_by(self, cells: Sequence[str]) -> bool:
        """Whether a line has a column's name in it: a quick look, for most of the first lines are records."""
        return any(field.named for field in self.fields) or any(
            same_name(cell) in self._known_names or words_of(cell).known in self._known_words for cell in cells
        )

    @cached_property
    def _known_names(self) -> frozenset[str]:
        return frozenset(same_name(name) for field in self.fields for name in field.columns)

    @cached_property
    def _known_words(self) -> frozenset[frozenset[str]]:
        return frozenset(words for field in self.fields for level in field.levels for words in level)

    def recognise(self, header: Sequence[str], sample: Sequence[Sequence[str]] = ()) -> Recognition:
        """What a header line means; `sample` are records behind it, which settle what names leave open.

        A column serves one field only, unless it is `shared`: one that the sender named for it, else the first in the
        mapping's order. Raises `UnreadableFile` with `named-column-missing` or `one-column-for-two-fields`.
        """
        return Recognition(self, header, sample)

    def bind(self, header: Sequence[str], sample: Sequence[Sequence[str]] = ()) -> ColumnBinding:
        """Tie the fields to the columns of a header line, once per file.

        Raises `UnreadableFile` as `recognise` does, and with `missing-columns`, naming what was found and what is
        accepted. Where it has `doubts` the file must not be read.
        """
        return self.bound(self.recognise(header, sample), header)

    def bound(self, recognised: Recognition, header: Sequence[str]) -> ColumnBinding:
        """Tie the fields to what was recognised. Raises `UnreadableFile` with `missing-columns`."""
        if recognised.missing:
            raise missing_columns(recognised.missing, header)
        columns = tuple(
            Column(
                field.name,
                source=None if (found := recognised.found.get(field.name)) is None else found.source,
                index=None if found is None else found.index,
                reader=field.reader(),
                why=None if found is None else found.why,
                kind=field.kind,
                is_needed=field.presence != "optional",
            )
            for field in self.fields
        )
        return ColumnBinding(
            columns=columns,
            header=header,
            amount=self.amount,
            extra_cells=self.extra_cells,
            doubts=tuple(recognised.doubts),
        )

    def with_date_orders(self, orders: ByField[str, DateOrder]) -> "Mapping":
        """The same mapping with the order in which each of these fields' dates are written."""
        fields = (
            field.model_copy(update={"date_order": orders[field.name]}) if field.name in orders else field
            for field in self.fields
        )
        return self.model_copy(update={"fields": tuple(fields)})

    def bind_in_order(self, *behind: str) -> ColumnBinding:
        """For records whose cells are already in the order of the fields, with columns `behind` them."""
        columns = tuple(
            Column(field.name, field.name, index, field.reader(), "name", field.kind, field.presence != "optional")
            for index, field in enumerate(self.fields)
        )
        header = (*self.names, *behind)
        return ColumnBinding(columns=columns, header=header, amount=self.amount, extra_cells="refuse")
