import codecs
from collections.abc import Callable
from typing import Any

import pytest
from council_common.imports import UnreadableFile

HEAD = "Number,Paid On,Net,Supplier\n"
ROW = "A1,2024-01-31,1.00,Café Über €\n"


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 65_536])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_found(read: Callable[..., Any], encoding: str, chunk: int) -> None:
    outcome = read((HEAD + ROW * 2).encode(encoding), chunk=chunk)
    assert outcome.suppliers == ["Café Über €"] * 2


@pytest.mark.parametrize(
    "mark",
    [
        codecs.BOM_UTF8 * 2,
        "ï»¿".encode(),
        codecs.BOM_UTF8 + "ï»¿".encode(),
        "Ã¯Â»Â¿".encode(),
        "Ã¯»¿".encode(),
        codecs.BOM_UTF16_LE,
    ],
)
def test_byte_order_marks_however_badly_written(read: Callable[..., Any], mark: bytes) -> None:
    text = HEAD + ROW
    content = mark + (text.encode("utf-16-le") if mark == codecs.BOM_UTF16_LE else text.encode())
    assert read(content).reading.header[0] == "Number"


def test_a_late_windows_line_leaves_the_lines_before_it_alone(read: Callable[..., Any]) -> None:
    outcome = read((HEAD + ROW * 5_000).encode() + ROW.encode("cp1252") + ROW.encode())
    assert set(outcome.suppliers) == {"Café Über €"}
    assert len(outcome.suppliers) == 5_002


def test_bytes_unknown_to_windows_are_latin_1(read: Callable[..., Any]) -> None:
    outcome = read(HEAD.encode() + b"A1,2024-01-31,1.00,caf\xe9 \x81\n")
    assert outcome.suppliers == ["café \x81"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"\xef\xbb\xbf", "empty-file"),
        (b"\n\n \n", "empty-file"),
        (b"\x7fELF" + bytes(500), "binary-file"),
        ((HEAD + ROW).encode("utf-16-le"), "binary-file"),
        ((HEAD + ROW).encode("utf-32"), "binary-file"),
        (codecs.BOM_UTF16_LE + b"odd", "wrong-encoding"),
        (b"x" * 200_000, "line-too-long"),
        ((HEAD + "y" * 200_000).encode(), "line-too-long"),
    ],
)
def test_what_is_no_text_is_refused_as_a_file(read: Callable[..., Any], content: bytes, code: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    assert refused.value.code == code


def test_half_a_character_at_the_end_of_utf_16_is_reported(read: Callable[..., Any]) -> None:
    """The first block of 256 KiB ends with a line, the second is one byte."""
    text = HEAD + ROW
    content = codecs.BOM_UTF16_LE + (text + "\n" * (131_071 - len(text))).encode("utf-16-le") + b"x"
    assert len(content) == 256 * 1024 + 1
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    assert refused.value.code == "wrong-encoding"
