"""Reading files that people and systems send: exactly, safely, in a stream, and knowing nothing of invoices.

A service gives a `Mapping` (which columns mean which field, and how they are read) and takes batches of row
tuples, refusals with reasons and totals; storing them is the service's. `read_records` is the door.
"""

from council_common.imports.batches import Batch
from council_common.imports.column_binding import Row
from council_common.imports.date_survey import SettledDates, settle_dates
from council_common.imports.limits import Limits
from council_common.imports.mapping import MappedField, Mapping
from council_common.imports.problems import Doubt, DoubtfulFile, Problem, UnreadableFile
from council_common.imports.reading import Format, Reading, read_records, surveyed_dates
from council_common.imports.refusals import Refusal, refused_file
from council_common.imports.values import is_redacted

__all__ = [
    "Batch",
    "Doubt",
    "DoubtfulFile",
    "Format",
    "Limits",
    "MappedField",
    "Mapping",
    "Problem",
    "Reading",
    "Refusal",
    "Row",
    "SettledDates",
    "UnreadableFile",
    "is_redacted",
    "read_records",
    "refused_file",
    "settle_dates",
    "surveyed_dates",
]
