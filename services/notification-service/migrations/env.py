from council_common.database.migrations import run
from notification_service.rows import Row

run(Row.metadata)
