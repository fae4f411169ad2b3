from council_common.database.migrations import run
from debt_service.rows import Row

run(Row.metadata)
