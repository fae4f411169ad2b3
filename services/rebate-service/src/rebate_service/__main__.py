"""`python -m rebate_service COMMAND`."""

from council_common.service.command import service_command

from rebate_service.main import SERVICE


def main() -> None:
    service_command(SERVICE)


if __name__ == "__main__":
    main()
