import time
from datetime import date


async def test_speed(racing_office):
    o = racing_office
    c = [await o.customer() for _ in range(20)]
    for turn in range(3):
        items=[o.receivable_body(c[i%20], 100+i, due_on=date(2026,4,1)) for i in range(5000)]
        t=time.perf_counter(); p=time.process_time(); a=await o.tell("receivables/bulk", {"items":items}, client=o.erp, status=200); t=time.perf_counter()-t
        assert a["created"]==5000
        rec=[o.receipt_body(100+i, payer_reference=items[i]["number"]) for i in range(5000)]
        u=time.perf_counter(); b=await o.tell("receipts/bulk", {"items":rec}, client=o.erp, status=200); u=time.perf_counter()-u
        assert b["created"]==5000
        print(f"raise {5000/t:.0f}/s, receipts {5000/u:.0f}/s, python cpu {time.process_time()-p:.1f}s")
    await o.books_agree()
