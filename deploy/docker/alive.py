"""Whether the process in this container answers: exit code 0 or 1, for the container engine's health check."""

import os
import sys
from http.client import HTTPConnection, HTTPException


def answers(path: str, port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else "/health/live"
    sys.exit(0 if answers(asked, int(os.environ.get("PORT", "8000"))) else 1)
