"""Many ids at once: UUIDv7 in order, as the driver's own class, which COPY writes fastest."""

from __future__ import annotations

import os
from uuid import UUID

from council_common.ids import DriverUuid


def ordered_ids(count: int, *, milliseconds: int) -> list[UUID]:
    """UUIDv7 ids that sort in the order of the list (RFC 9562 §6.2, method 1: the 12 bits behind the time count).

    `milliseconds` since 1970. Making them one by one with `new_id` costs ten times as much.
    """
    noise = os.urandom(8 * count)
    ids: list[UUID] = []
    for index in range(count):
        time_and_count = (milliseconds + (index >> 12)) << 16 | 0x7000 | (index & 0xFFF)
        place = 8 * index
        variant = bytes((0x80 | (noise[place] & 0x3F),))
        ids.append(DriverUuid(time_and_count.to_bytes(8, "big") + variant + noise[place + 1 : place + 8]))
    return ids
