"""What a workbook's small parts hold: its sheets, its number formats and its texts."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from council_common.imports.limits import Limits
from council_common.imports.xlsx.archive import WorkbookArchive, damaged
from council_common.imports.xlsx.number_formats import Shown, shown_by
from council_common.imports.xlsx.shared_texts import SharedTexts
from council_common.imports.xlsx.xml_stream import Attributes, OnEnd, OnStart, stream

_TRUE: Final = ("1", "true")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its name, the path of its part, and whether people see its tab."""

    name: str
    path: str
    is_visible: bool


@dataclass(frozen=True, slots=True)
class Workbook:
    """An opened workbook. `formats` are how a cell shows a number, in the order of the cells' styles."""

    sheets: list[Sheet]
    formats: list[Shown]
    texts: SharedTexts


def open_workbook(archive: WorkbookArchive, limits: Limits) -> Workbook:
    """Read all of a workbook but its sheets. What a part is, its relationship says, not its path.

    Source: ECMA-376 part 1 §18.2 (workbook), §18.4.9 (texts), §18.8 (styles); part 2 §9.3 (relationships).
    Raises `UnreadableFile`.
    """
    related: list[Attributes] = []
    tabs: list[Attributes] = []
    properties: Attributes = {}
    _read(archive, "xl/_rels/workbook.xml.rels", {"Relationship": related.append}, limits)
    _read(archive, "xl/workbook.xml", {"sheet": tabs.append, "workbookPr": properties.update}, limits)
    paths = {_kind(part): _path(part) for part in related}
    texts = SharedTexts(limits)
    if "sharedStrings" in paths:
        texts.read(archive, paths["sharedStrings"])
    formats = []
    if "styles" in paths:
        epoch = MAC_EPOCH if properties.get("date1904") in _TRUE else WINDOWS_EPOCH
        formats = _formats(archive, paths["styles"], epoch, limits)
    return Workbook(list(_worksheets(tabs, related)), formats, texts)


def _worksheets(tabs: list[Attributes], related: list[Attributes]) -> Iterator[Sheet]:
    """Charts and macros have tabs too."""
    paths = {part.get("Id"): _path(part) for part in related if _kind(part) == "worksheet"}
    for tab in tabs:
        part = next((value for name, value in tab.items() if name.endswith("}id")), None)
        if part in paths:
            yield Sheet(tab.get("name", ""), paths[part], tab.get("state", "visible") == "visible")


def _formats(archive: WorkbookArchive, path: str, epoch: datetime, limits: Limits) -> list[Shown]:
    styles = _Styles()
    starts: dict[str, OnStart] = {"numFmt": styles.declare, "cellXfs": styles.begin_cells, "xf": styles.add}
    _read(archive, path, starts, limits, ends={"cellXfs": styles.end_cells})
    known = {number: shown_by(number, styles.codes.get(number), epoch) for number in set(styles.of_cells)}
    return [known[number] for number in styles.of_cells]


class _Styles:
    """The declared number formats and which of them each cell style has."""

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.of_cells: list[int] = []
        self._in_cells = False

    def declare(self, attributes: Attributes) -> None:
        # Conditional formats declare theirs again, behind these.
        self.codes.setdefault(_number(attributes.get("numFmtId")), attributes.get("formatCode", "General"))

    def begin_cells(self, _: Attributes) -> None:
        self._in_cells = True

    def end_cells(self) -> None:
        self._in_cells = False

    def add(self, attributes: Attributes) -> None:
        if self._in_cells:
            self.of_cells.append(_number(attributes.get("numFmtId")))


def _read(
    archive: WorkbookArchive,
    path: str,
    starts: Mapping[str, OnStart],
    limits: Limits,
    *,
    ends: Mapping[str, OnEnd] | None = None,
) -> None:
    if archive.size(path) > limits.workbook_part_bytes:
        raise damaged(f"{path} is far too long")
    for _ in stream(archive.pieces(path), starts=starts, ends=ends):
        pass


def _kind(relationship: Attributes) -> str:
    # Transitional and strict workbooks name a kind by different addresses with the same end.
    return relationship.get("Type", "").rpartition("/")[2]


def _path(relationship: Attributes) -> str:
    return posixpath.join("/xl", posixpath.normpath(relationship.get("Target", "")))


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else 0
