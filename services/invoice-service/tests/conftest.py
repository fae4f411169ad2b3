import sys
from pathlib import Path

from council_common.testing.fixtures import service_fixtures
from invoice_service.main import SERVICE
from invoice_service.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))

service_database, service, racing_service = service_fixtures(SERVICE, Settings)
