"""Notes on customers and receivables."""

from datetime import date

from council_common.testing.note_story import play_notes


async def test_notes_on_customers_and_receivables(office) -> None:
    customer = await office.customer()
    await office.customer()
    receivable = await office.receivable(customer, 10_00, due_on=date(2026, 3, 11))
    await play_notes(office.service, customer, "/v1/customers", role="debt_recovery_officer")
    held = await office.get(f"receivables/{receivable['id']}")
    await play_notes(office.service, held, "/v1/receivables", role="receivables_coordinator")
