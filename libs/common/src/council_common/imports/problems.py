"""What can be wrong with a file, a record or a cell, in words by which the sender can correct it."""

from dataclasses import dataclass


class UnreadableFile(Exception):
    """The file as a whole cannot be imported; nothing more of it will be read.

    `code` is stable kebab-case, `detail` is what was found and where, `expected` what would be accepted.
    """

    def __init__(self, code: str, detail: str, expected: str) -> None:
        super().__init__(code, detail, expected)  # what it is made of again when another process raised it
        self.code = code
        self.detail = detail
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.code}: {self.detail} (expected: {self.expected})"


@dataclass(frozen=True, slots=True)
class Doubt:
    """What could mean two things: the field, what it could be, and the question to the sender."""

    field: str
    candidates: tuple[str, ...]
    question: str


class DoubtfulFile(UnreadableFile):
    """A file that could be read in two ways; its sender has to say which."""

    def __init__(self, doubts: tuple[Doubt, ...]) -> None:
        super().__init__("in-doubt", " ".join(doubt.question for doubt in doubts), "a mapping that says which")
        self.args = (doubts,)
        self.doubts = doubts


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one record. `field` is empty when the record itself is malformed."""

    field: str
    code: str
    problem: str
    expected: str


class BadValue(ValueError):
    """A cell does not hold what its column promises; the record is refused, the file is read on."""

    def __init__(self, code: str, problem: str, expected: str) -> None:
        super().__init__(f"{problem} (expected: {expected})")
        self.code = code
        self.problem = problem
        self.expected = expected


class RefusedRecord(ValueError):
    """A record with at least one problem. All of them are reported at once, so that one correction is enough."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.problem for problem in problems))
        self.problems = problems


def shown(text: str, most: int = 60) -> str:
    """Quote what was found, short enough for a sentence."""
    return repr(text if len(text) <= most else text[: most - 1] + "…")
