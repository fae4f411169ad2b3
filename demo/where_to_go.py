"""What a newcomer can look at once the work is done."""

from __future__ import annotations

from council_local.surroundings import SERVICES
from rich.console import Console

from demo.running import Running


def say_where_to_go(console: Console, running: Running) -> None:
    """Addresses, a token and a request to try."""
    platform = running.platform
    docs = "\n".join(f"  {service:<13} {platform.service_url(service)}/docs" for service in SERVICES)
    end = "Ctrl-C ends everything." if running.ours else "The platform goes on running; `make stop` ends it."
    console.print(
        f"\nEverything goes through the gateway: {platform.gateway_url}/v1/…\n\n"
        f"API docs\n{docs}\n\n"
        f"Mail sink     {platform.mail_url}\n"
        "A token       make token ROLE=auditor\n\n"
        "Try\n"
        '  curl -s -H "Authorization: Bearer $(make -s token ROLE=auditor)" \\\n'
        f"    '{platform.gateway_url}/v1/invoices?status=held&limit=3'\n\n"
        f"{end}\n",
        highlight=False,
        markup=False,
    )
