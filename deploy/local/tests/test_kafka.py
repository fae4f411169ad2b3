"""The broker keeps acknowledged events through a kill, and its jars are the locked ones."""

import hashlib
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from council_local import jars
from council_local.kafka import declare_topics
from council_local.scratch import ScratchKafka


async def send(bootstrap: str, topic: str, count: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for number in range(count):
            await producer.send(topic, str(number).encode(), key=str(number % 7).encode())
        await producer.flush()
    finally:
        await producer.stop()


async def read(bootstrap: str, topic: str, count: int) -> list[int]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    found: list[int] = []
    try:
        while len(found) < count:
            for records in (await consumer.getmany(timeout_ms=10_000)).values():
                found += [int(record.value) for record in records]
    finally:
        await consumer.stop()
    return found


@pytest.mark.broker
async def test_acknowledged_events_survive_kill_and_restart(kafka: ScratchKafka) -> None:
    kafka.create_topics("invoices.v1")
    await send(kafka.bootstrap, "invoices.v1", 500)
    kafka.kill()
    kafka.restart()
    assert sorted(await read(kafka.bootstrap, "invoices.v1", 500)) == list(range(500))


@pytest.mark.broker
async def test_declaring_topics_again_changes_nothing(kafka_bootstrap: str) -> None:
    assert await declare_topics(kafka_bootstrap, ["once.v1", "twice.v1"]) == ["once.v1", "twice.v1"]
    assert await declare_topics(kafka_bootstrap, ["once.v1", "twice.v1"]) == []


def test_lock_file_names_every_jar_with_its_sum_and_no_host() -> None:
    text = jars.LOCK_FILE.read_text()
    locked = jars.locked_jars()
    assert {jar.artifact for jar in locked} >= {"kafka_2.13", "kafka-clients", "slf4j-simple"}
    assert all(len(jar.sha256) == 64 for jar in locked)
    assert "://" not in text


def test_a_jar_that_was_tampered_with_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNCIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "maven"))
    jar = next(one for one in jars.locked_jars() if one.artifact == "jspecify")
    bad = tmp_path / "cache" / jar.path
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"not the jar that was locked")
    fetched = jars.verified(jar)
    assert fetched == bad
    assert jars.sum_of(fetched) == jar.sha256


def test_a_council_with_a_mirror_asks_it_first_and_sees_how_far_the_download_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNCIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "maven"))
    monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "jgo.conf"))
    (tmp_path / "jgo.conf").write_text(f"[repositories]\nours = {(tmp_path / 'mirror').as_uri()}\n")
    content = b"x" * 3_000_000
    jar = jars.LockedJar("council.example", "thing", "1.0", sha256=hashlib.sha256(content).hexdigest())
    (tmp_path / "mirror" / jar.path).parent.mkdir(parents=True)
    (tmp_path / "mirror" / jar.path).write_bytes(content)
    reported: list[str] = []
    assert jars.verified(jar, jars.Received(reported.append)) == tmp_path / "cache" / jar.path
    assert reported[-1] == f"downloads Apache Kafka, once: 3 of about {jars.DOWNLOAD_MB} MB"


def test_a_jar_that_no_repository_has_is_named_with_where_it_was_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNCIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(jars, "repositories", lambda: [(tmp_path / "empty").as_uri()])
    jar = jars.LockedJar("council.example", "thing", "1.0", sha256="0" * 64)
    with pytest.raises(jars.JarsMissingError, match=r"empty/council/example/thing/1\.0/thing-1\.0\.jar"):
        jars.verified(jar)
    assert not list((tmp_path / "cache").rglob("*.jar"))


def test_a_download_with_another_sum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNCIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "maven"))
    good = next(one for one in jars.locked_jars() if one.artifact == "jspecify")
    with pytest.raises(jars.UntrustedJarError, match="expected SHA-256"):
        jars.verified(jars.LockedJar(good.group, good.artifact, good.version, sha256="0" * 64))
    assert not (tmp_path / "cache" / good.path).exists()
