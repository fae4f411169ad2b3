"""Notes on invoices."""

from council_common.testing.harness import Harness
from council_common.testing.note_story import play_notes
from invoice_stories import a_supplier, approved, received


async def test_notes_on_invoices(service: Harness) -> None:
    await a_supplier(service)
    await received(service, number="INV-0002")
    await play_notes(service, await approved(service), "/v1/invoices", role="payments_assistant")
