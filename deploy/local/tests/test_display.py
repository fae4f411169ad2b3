"""A person sees how far the start has come, on a terminal and in a log."""

import io

import pytest
from council_local import display
from council_local.display import StartDisplay
from council_local.platform import State
from rich.console import Console


def test_without_a_terminal_a_long_preparation_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = io.StringIO()
    with StartDisplay(Console(file=lines, width=120)) as shown:
        shown.report("kafka", State.PREPARING, "downloads Apache Kafka, once: 0 of about 44 MB")
        shown.report("kafka", State.PREPARING, "downloads Apache Kafka, once: 1 of about 44 MB")
        monkeypatch.setattr(display, "PREPARING_SECONDS", 0.0)
        shown.report("kafka", State.PREPARING, "downloads Apache Kafka, once: 20 of about 44 MB")
        shown.report("kafka", State.PREPARING, "")
        shown.report("kafka", State.READY, "127.0.0.1:8092")
    reported = [line.split("s  ", 1)[1].split() for line in lines.getvalue().splitlines()]
    assert [line[:2] for line in reported] == [["kafka", "preparing"], ["kafka", "ready"]]
    assert " ".join(reported[0]).endswith("once: 20 of about 44 MB")
