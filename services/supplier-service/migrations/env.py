from council_common.database.migrations import run
from supplier_service.rows import Row

run(Row.metadata)
