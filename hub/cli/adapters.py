"""hub adapters list."""

import json
from typing import Annotated

import typer

from adapters.discovery import adapters
from hub.cli.common import Json, table

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Products and formats the hub reads."""


@app.command("list")
def list_(as_json: Json = False, product: Annotated[str | None, typer.Argument(help="Only this adapter.")] = None) -> None:
    """The adapters that are installed."""
    found = [one.manifest for name, one in sorted(adapters().items()) if product in (None, name)]
    if as_json:
        rows = [
            {
                "name": one.name,
                "version": one.version,
                "product": one.product,
                "manufacturer": one.manufacturer,
                "media_types": list(one.media_types),
                "needs_time_zone": one.needs_time_zone,
            }
            for one in found
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    shown = [[one.name, one.version, one.product, ", ".join(one.media_types), "yes" if one.needs_time_zone else ""] for one in found]
    table("Adapters", ["name", "version", "product", "reads", "needs a time zone"], shown)
