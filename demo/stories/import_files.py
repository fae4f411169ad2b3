"""Three files of invoices with a few bad lines: the refused ones are downloaded, corrected and sent again."""

from __future__ import annotations

from typing import Any

from demo.council_api import Council, until
from demo.sample_council.facts import SOURCE, SampleCouncil, Way
from demo.steps import Steps
from demo.stories.file_formats import FORMATS, FileFormat, Record

ENDED = frozenset({"done", "failed", "cancelled"})


async def import_files(council: Council, sample: SampleCouncil, steps: Steps) -> list[dict[str, Any]]:
    """Send each file and its corrections; the imports as they ended."""
    ended = []
    with steps.step("Files imported, refused lines corrected", 2 * len(FORMATS)) as tick:
        for way, file_format in FORMATS.items():
            records = [file_format.record(one) for one in sample.invoices if one.way is way]
            ended.append(await _send_file(council, way, file_format, records))
            tick()
            ended.append(await _correct(council, way, file_format, records, ended[-1]["id"]))
            tick()
    return ended


async def _send_file(council: Council, way: Way, file_format: FileFormat, records: list[Record]) -> dict[str, Any]:
    spoilt = file_format.spoilt(records)
    sent = await council.erp.upload(
        "/v1/invoice-imports",
        file_format.written(spoilt),
        media_type="application/octet-stream",
        key=f"sample-file-{way}",
        filename=f"invoices.{way}",
        source_system=SOURCE,
        mapping=file_format.mapping,
    )
    import_ = await until_ended(council, sent["id"])
    _must_be(import_, status="done", lines=len(records), refused=len(file_format.mistakes))
    return import_


async def _correct(
    council: Council, way: Way, file_format: FileFormat, records: list[Record], import_id: str
) -> dict[str, Any]:
    """A clerk opens the refused file, puts right what its columns say is wrong, and sends it as it is."""
    ending = file_format.refused_ending
    refused = await council.assistant.download(f"/v1/invoice-imports/{import_id}/refusals.{ending}")
    sent = await council.erp.upload(
        "/v1/invoice-imports",
        file_format.corrected(refused, records),
        media_type="application/octet-stream",
        key=f"sample-corrected-{way}",
        filename=f"invoices-corrected-{way}.{ending}",
        source_system=SOURCE,
        mapping=file_format.mapping,
    )
    import_ = await until_ended(council, sent["id"])
    _must_be(import_, status="done", lines=len(file_format.mistakes), refused=0)
    return import_


async def until_ended(council: Council, import_id: str, *, seconds: float = 120.0) -> dict[str, Any]:
    """The import when it has ended, well or not."""
    found: dict[str, Any] = {}

    async def ended() -> bool:
        found.update(await council.erp.get(f"/v1/invoice-imports/{import_id}"))
        return found["status"] in ENDED

    await until(ended, what="an import to end", seconds=seconds)
    return found


def _must_be(import_: dict[str, Any], *, status: str, lines: int, refused: int) -> None:
    taken = import_["lines_accepted"] + import_["lines_existing"]
    if (import_["status"], taken, import_["lines_refused"]) != (status, lines - refused, refused):
        raise RuntimeError(
            f"{import_['filename']}: {import_['status']} with {taken} lines taken and {import_['lines_refused']} "
            f"refused; expected {lines - refused} and {refused}. {import_['progress']['error'] or ''}"
        )
