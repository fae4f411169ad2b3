import sys
from pathlib import Path

from council_common.testing.fixtures import service_fixtures
from supplier_service.main import SERVICE
from supplier_service.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))

service_database, service, racing_service = service_fixtures(SERVICE, Settings)
