"""Notes on suppliers."""

from council_common.testing.harness import Harness
from council_common.testing.note_story import play_notes
from supplier_stories import a_supplier


async def test_notes_on_suppliers(service: Harness) -> None:
    async with service.as_("erp") as erp:
        supplier = (await erp.post("/v1/suppliers", json=a_supplier())).json()
        await erp.post("/v1/suppliers", json=a_supplier(reference="4000124", company_number=None, vat_number=None))
    await play_notes(service, supplier, "/v1/suppliers", role="early_payment_coordinator")
