"""Many ids at once: UUIDv7 in order, as the driver's own class, which COPY writes fastest."""

from __future__ import annotations

import os
from struct import Struct, unpack
from typing import Final
from uuid import UUID

from council_common.ids import DriverUuid

_HALVES: Final = Struct(">QQ")
_VERSION_7: Final = 0x7000
_VARIANT: Final = 0x8000_0000_0000_0000


def ordered_ids(count: int, *, milliseconds: int) -> list[UUID]:
    """UUIDv7 ids that sort in the order of the list (RFC 9562 §6.2, method 1: the 12 bits behind the time count).

    `milliseconds` since 1970. Making them one by one with `new_id` costs ten times as much.
    """
    noise = unpack(f">{count}Q", os.urandom(8 * count))
    return [
        DriverUuid(
            _HALVES.pack((milliseconds + (index >> 12)) << 16 | _VERSION_7 | index & 0xFFF, _VARIANT | half >> 2)
        )
        for index, half in enumerate(noise)
    ]
