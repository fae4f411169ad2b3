"""Two platforms never get in each other's way without being told so."""

import socket
from pathlib import Path

import pytest
from council_local.claim import AlreadyRunningError, Claim
from council_local.folders import CHECKOUT, Folders
from council_local.ports import LOOPBACK, PortBusyError, Ports, free_ports, refuse_busy
from council_local.surroundings import Surroundings


def test_the_fixed_names_of_the_architecture() -> None:
    ports = Ports.from_environment({})
    assert (ports.gateway, ports.supplier, ports.notification, ports.issuer) == (8000, 8001, 8005, 8010)
    assert (ports.gateway_admin, ports.smtp, ports.mail_page) == (8019, 8025, 8026)
    assert (ports.postgres, ports.kafka, ports.kafka_controller) == (8032, 8092, 8093)
    assert Ports.from_environment({"COUNCIL_PORT_BASE": "9000"}).postgres == 9032


def test_a_busy_port_is_named_with_the_way_out() -> None:
    (port,) = free_ports(1)
    taken = pytest.raises(PortBusyError, match=rf"gateway wants {port}.*COUNCIL_PORT_BASE")
    with socket.create_server((LOOPBACK, port)), taken:
        refuse_busy({"gateway": port})


def test_one_supervisor_per_folder(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.make()
    first, second = Claim(folders), Claim(folders)
    first.take()
    with pytest.raises(AlreadyRunningError, match="make stop"):
        second.take()
    first.let_go()
    second.take()
    second.let_go()


def test_a_relative_data_folder_lies_in_the_checkout() -> None:
    assert Folders.from_environment({"COUNCIL_DATA": "elsewhere"}).root == CHECKOUT / "elsewhere"
    assert Folders.from_environment({}).root == CHECKOUT / ".data"


def test_the_councils_own_database_and_broker_go_first(tmp_path: Path) -> None:
    own = {"INVOICE_DATABASE_URL": "postgresql://db.example/invoice", "KAFKA_BOOTSTRAP_SERVERS": "k.example:9092"}
    folders = Folders(tmp_path)
    folders.make()
    around = Surroundings(folders, Ports.from_base(), own)
    assert around.of_service("invoice")["DATABASE_URL"] == "postgresql://db.example/invoice"
    assert around.of_service("debt")["DATABASE_URL"] == "postgresql://postgres@127.0.0.1:8032/debt"
    assert around.of_service("debt")["KAFKA_BOOTSTRAP_SERVERS"] == "k.example:9092"
    assert "invoice" not in around.local_databases
    assert around.of_service("debt")["REBATE_SERVICE_URL"] == "http://127.0.0.1:8003"
