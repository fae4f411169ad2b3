from council_common.database.migrations import run
from invoice_service.rows import Row

run(Row.metadata)
