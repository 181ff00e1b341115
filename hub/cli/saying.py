"""How commands say things: results on stdout, everything else on stderr. Needs nothing of the hub."""

import sys
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Table

stderr = Console(stderr=True)


def fail(text: str) -> NoReturn:
    sys.stderr.write(f"hub: {text}\n")
    raise typer.Exit(1)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """For people: on a terminal with rules, in a pipe one line per row."""
    made = Table(title=title, title_justify="left")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*row)
    Console().print(made)
