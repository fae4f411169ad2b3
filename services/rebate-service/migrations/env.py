from council_common.database.migrations import run
from rebate_service.rows import Row

run(Row.metadata)
