"""hub product add | change | list | show."""

import json
from typing import Annotated, Any

import typer

from fhir_profiles.product import CLASSES, STANDINGS, Product
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.durations import said, seconds
from hub.cli.saying import table
from hub.registry import ProductChanged, Registry
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)
NO_CLASS = "none"

Key = Annotated[str, typer.Argument(help="The product's name in the registry, e.g. acme-patch-2.")]
Silence = Annotated[str | None, typer.Option("--silence", help="A unit not heard of for longer is silent, e.g. 36h; default 2d.")]
Lifetime = Annotated[str | None, typer.Option("--lifetime", help="How long a unit may be worn, e.g. 14d; default: not limited.")]
Drift = Annotated[str | None, typer.Option("--drift", help="How far its clock may be off, e.g. 2m; default 2m.")]
Battery = Annotated[int | None, typer.Option("--battery-low", min=0, max=100, help="From how many percent on it is low; default 20.")]


@app.command("add")
def add(
    key: Key,
    manufacturer: Annotated[str, typer.Option("--manufacturer", help="As on the label.")],
    model: Annotated[str, typer.Option("--model", help="Model or reference number, as on the label.")],
    name: Annotated[str | None, typer.Option("--name", help="For people; default: the model.")] = None,
    udi_di: Annotated[list[str] | None, typer.Option("--udi-di", help="Device identifier: a GTIN, or the DI part of a UDI.")] = None,
    specialization: Annotated[list[str] | None, typer.Option("--specialization", help="What it measures, e.g. blood-pressure.")] = None,
    standing: Annotated[str, typer.Option("--standing", help=f"What its maker's papers say: {', '.join(STANDINGS)}.")] = "not-known",
    risk_class: Annotated[str | None, typer.Option("--class", help=f"Of a medical device: {', '.join(CLASSES)}.")] = None,
    silence: Silence = None,
    lifetime: Lifetime = None,
    drift: Drift = None,
    battery_low: Battery = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Register a product: what holds for all its units."""
    given: dict[str, Any] = {
        "key": key,
        "manufacturer": manufacturer,
        "model": model,
        "name": name or model,
        "identifiers": tuple(udi_di or ()),
        "specializations": tuple(specialization or ()),
        "standing": standing,
        "risk_class": risk_class,
        **limits(silence, lifetime, drift, battery_low),
    }
    try:
        product = Product(**given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None

    async def act(hub: Hub) -> str:
        return await Registry(hub, reason).add_product(product)

    typer.echo(json.dumps({"product": key, "definition": in_hub(data_dir, mongodb_url, act)}))


@app.command("change")
def change(
    key: Key,
    standing: Annotated[str | None, typer.Option("--standing", help=f"What it is under the law: {', '.join(STANDINGS)}.")] = None,
    risk_class: Annotated[str | None, typer.Option("--class", help=f"Of a medical device: {', '.join(CLASSES)}, or none.")] = None,
    silence: Silence = None,
    lifetime: Lifetime = None,
    drift: Drift = None,
    battery_low: Battery = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Other limits, or another standing, for all units of a product; readings are found by what their unit is now."""
    wanted = {**_said_of_law(standing, risk_class), **limits(silence, lifetime, drift, battery_low)}
    if not wanted:
        raise typer.BadParameter("say what: --standing, --class, --silence, --lifetime, --drift or --battery-low")

    async def act(hub: Hub) -> ProductChanged:
        return await Registry(hub, reason).change_product(key, wanted)

    done = in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({**shown(done.product, None), "units": done.units}))


@app.command("list")
def list_(as_json: Json = False, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Every product of the registry."""
    found = [shown(product, reference) for reference, product in _all(reason, data_dir, mongodb_url)]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        columns = ["product", "manufacturer", "model", "standing", "class", "silence", "lifetime"]
        table("Products", columns, [[str(one[column] or "") for column in columns] for one in found])


@app.command("show")
def show(key: Key, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """One product, as JSON."""
    found = [shown(product, reference) for reference, product in _all(reason, data_dir, mongodb_url) if product.key == key]
    if not found:
        typer.echo(f"hub: there is no product {key}; hub product list shows them", err=True)
        raise typer.Exit(1)
    typer.echo(json.dumps(found[0], indent=2))


def _said_of_law(standing: str | None, risk_class: str | None) -> dict[str, Any]:
    """Those that were given, as `Product` names them."""
    if standing is not None and standing not in STANDINGS:
        raise typer.BadParameter(f"--standing is one of {', '.join(STANDINGS)}")
    if risk_class is not None and risk_class not in (*CLASSES, NO_CLASS):
        raise typer.BadParameter(f"--class is one of {', '.join((*CLASSES, NO_CLASS))}")
    made: dict[str, Any] = {} if standing is None else {"standing": standing}
    return made if risk_class is None else {**made, "risk_class": None if risk_class == NO_CLASS else risk_class}


def limits(silence: str | None, lifetime: str | None, drift: str | None, battery_low: int | None) -> dict[str, Any]:
    """Those that were given, as `Product` names them."""
    spans = {"silence_s": (silence, "--silence"), "lifetime_s": (lifetime, "--lifetime"), "drift_s": (drift, "--drift")}
    made: dict[str, Any] = {name: seconds(text, flag) for name, (text, flag) in spans.items() if text is not None}
    return made if battery_low is None else {**made, "battery_low": battery_low}


def shown(product: Product, reference: str | None) -> dict[str, Any]:
    """For people and scripts."""
    made: dict[str, Any] = {
        "product": product.key,
        "manufacturer": product.manufacturer,
        "model": product.model,
        "name": product.name,
        "udi_di": list(product.identifiers),
        "specializations": list(product.specializations),
        "standing": product.standing,
        "class": product.risk_class,
        "silence": said(product.silence_s),
        "lifetime": None if product.lifetime_s is None else said(product.lifetime_s),
        "drift": said(product.drift_s),
        "battery_low": product.battery_low,
    }
    return made if reference is None else {**made, "definition": reference}


def _all(reason: str | None, data_dir: Any, mongodb_url: str | None) -> list[tuple[str, Product]]:
    async def act(hub: Hub) -> list[tuple[str, Product]]:
        return await Registry(hub, reason).products()

    return in_hub(data_dir, mongodb_url, act)
