"""What cannot be done with a saved reading."""

from __future__ import annotations

from council_common.errors import Conflict


class ReadingWithdrawn(Conflict):
    """The reading was withdrawn before."""

    code = "import-reading-already-withdrawn"
