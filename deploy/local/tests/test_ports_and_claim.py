"""Two platforms never get in one another's way unnoticed."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from council_local import environment
from council_local.__main__ import main
from council_local.child import write_record
from council_local.claim import SUPERVISOR, AlreadyRunningError, Claim, SupervisorStaysError, stop_supervisor
from council_local.folders import CHECKOUT, Folders
from council_local.jars import cache_folder
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
    ours = around.of_service("debt")["DATABASE_URL"]
    assert ours == f"postgresql://postgres:{folders.postgres_password.read_text()}@127.0.0.1:8032/debt"
    assert folders.postgres_password.stat().st_mode & 0o777 == 0o600
    assert around.of_service("debt")["KAFKA_BOOTSTRAP_SERVERS"] == "k.example:9092"
    assert around.of_service("debt")["KAFKA_SECURITY_PROTOCOL"] == "PLAINTEXT"
    assert "invoice" not in around.local_databases
    assert around.of_service("debt")["REBATE_SERVICE_URL"] == "http://127.0.0.1:8003"


@pytest.mark.parametrize("base", ["abc", "80", "-9000", "65500", "٩٠٠٠", "9000.5"])
def test_a_port_base_that_is_not_a_port_is_refused_in_a_sentence(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="COUNCIL_PORT_BASE is a number from 1024 to 65400"):
        Ports.from_environment({"COUNCIL_PORT_BASE": base})
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COUNCIL_PORT_BASE", base)
        assert main(["status"]) == 2
    assert "COUNCIL_PORT_BASE" in capsys.readouterr().err


def test_a_supervisor_that_does_not_end_is_reported_with_the_way_out(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.make()
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        write_record(folders.pid(SUPERVISOR), process.pid)
        with pytest.raises(SupervisorStaysError, match=f"kill -9 {process.pid}"):
            stop_supervisor(folders, patience=0.2)
        process.kill()


def test_the_jars_folder_may_be_named_in_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNCIL_CACHE", raising=False)
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    (tmp_path / ".env").write_text(f"COUNCIL_CACHE={tmp_path / 'jars'}\n")
    assert cache_folder() == tmp_path / "jars"


def test_the_councils_broker_is_reached_as_the_environment_says(tmp_path: Path) -> None:
    own = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "council", "KAFKA_SASL_PASSWORD": "secret"}
    folders = Folders(tmp_path)
    folders.make()
    theirs = Surroundings(folders, Ports.from_base(), {**own, "KAFKA_BOOTSTRAP_SERVERS": "k.example:9094"})
    reached = theirs.kafka_security("debt-service")
    assert (reached.protocol, reached.username) == ("SASL_SSL", "council")
    assert theirs.of_service("debt")["KAFKA_SASL_PASSWORD"] == "secret"
    ours = Surroundings(folders, Ports.from_base(), own)
    settings = ours.of_service("debt")
    assert settings["KAFKA_SECURITY_PROTOCOL"] == "SASL_PLAINTEXT"
    assert (settings["KAFKA_SASL_USERNAME"], settings["KAFKA_SASL_PASSWORD"]) != ("council", "secret")
