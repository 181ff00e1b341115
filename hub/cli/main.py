"""The `hub` command: one file per group of commands."""

import typer

from hub.cli import (
    adapters,
    audit,
    client,
    console,
    contents,
    demo,
    device,
    doctor,
    export,
    ingest,
    keys,
    mqtt,
    poll,
    product,
    quarantine,
    rederive,
    serve,
    token,
    unit,
    unit_status,
    user,
    watch,
    webhook,
)

app = typer.Typer(
    name="hub",
    help="A FHIR R4 hub for data from connected health devices.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.command("serve")(serve.serve)
app.command("token")(token.token)
app.command("ingest")(ingest.ingest)
app.command("mqtt")(mqtt.mqtt)
app.command("watch")(watch.watch)
app.command("doctor")(doctor.doctor)
app.add_typer(client.app, name="client", help="Applications that may ask for tokens.")
app.add_typer(demo.app, name="demo", help="Invented patients to try the hub out with.")
app.add_typer(webhook.app, name="webhook", help="Calls of vendors' clouds, and how they prove themselves.")
app.add_typer(poll.app, name="poll", help="What patients granted at vendors' clouds.")
app.add_typer(product.app, name="product", help="Products: what holds for all units of a model.")
for of_units in (unit.register, unit.show, unit.units, unit.retire, unit.exchange, unit_status.status, unit_status.watch):
    device.app.command()(of_units)
app.add_typer(device.app, name="device", help="Devices and who wears them when.")
app.add_typer(quarantine.app, name="quarantine", help="Items that wait for a decision or a repair.")
app.add_typer(rederive.app, name="rederive", help="Readings read again by a mended mapping.")
app.add_typer(contents.app, name="contents", help="Bytes and items that go when nothing needs them any more.")
app.add_typer(audit.app, name="audit", help="Who saw what, why, and whether they were allowed to.")
app.add_typer(console.app, name="console", help="Pages for those who run the hub.")
app.add_typer(user.app, name="user", help="People who sign in.")
app.add_typer(export.app, name="export", help="What is stored, for somebody else's system.")
app.add_typer(keys.app, name="keys", help="Keys that seal the data.")
app.add_typer(adapters.app, name="adapters", help="Products and formats the hub reads.")
