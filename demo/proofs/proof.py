"""A proof: what is claimed, the two figures, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from demo.steps import pounds


@dataclass(frozen=True)
class Proof:
    """Two figures that must be equal; pence are shown as pounds."""

    what: str
    left: int | str
    right: int | str
    money: bool = False

    @property
    def holds(self) -> bool:
        return self.left == self.right


def show(console: Console, title: str, proofs: Sequence[Proof]) -> bool:
    """Print the proofs; false when one of them fails."""
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold", pad_edge=False)
    for heading, justify in (("what", "left"), ("found", "right"), ("should be", "right"), ("", "left")):
        shown.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for proof in proofs:
        mark = "[green]✓[/]" if proof.holds else "[bold red]✗[/]"
        shown.add_row(proof.what, _figure(proof, proof.left), _figure(proof, proof.right), mark)
    console.print(shown)
    return all(proof.holds for proof in proofs)


def _figure(proof: Proof, value: int | str) -> str:
    if isinstance(value, str):
        return value
    return pounds(value) if proof.money else f"{value:,}"
