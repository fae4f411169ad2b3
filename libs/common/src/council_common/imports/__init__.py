"""Reading files that people and systems send: exactly, safely, in a stream, and knowing nothing of invoices.

A service gives a `Mapping` (which columns mean which field, and how they are read) and takes batches of row
tuples, refusals with reasons and notes; storing them is the service's. `read_records` is the door.
"""

from council_common.imports.batches import Batch, Counts, Note
from council_common.imports.column_binding import ColumnBinding, Row
from council_common.imports.limits import Limits
from council_common.imports.mapping import MappedField, Mapping
from council_common.imports.physical_lines import Source
from council_common.imports.problems import BadValue, Problem, UnreadableFile
from council_common.imports.reading import Format, Reading, read_records
from council_common.imports.refusals import Refusal, refused_file
from council_common.imports.values import format_money, is_redacted, parse_money, parse_pence

__all__ = [
    "BadValue",
    "Batch",
    "ColumnBinding",
    "Counts",
    "Format",
    "Limits",
    "MappedField",
    "Mapping",
    "Note",
    "Problem",
    "Reading",
    "Refusal",
    "Row",
    "Source",
    "UnreadableFile",
    "format_money",
    "is_redacted",
    "parse_money",
    "parse_pence",
    "read_records",
    "refused_file",
]
