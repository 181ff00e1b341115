"""What a person does with products and units: register, change, retire, exchange. Each act and its record commit together.

As everything that an operator does (hub/operator.py): under the operating-system user and the reason given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fhir_profiles.product import Product, device_definition, with_product
from fhir_profiles.udi import BadUdi
from fhir_profiles.unit import UnitNames, agreed, require_of, unit_device, with_status
from hub.ingest.devices import binding, device_token
from hub.instants import fhir_instant
from hub.operator import Operator, OperatorError
from hub.recording import Recording, Touched, write_of
from hub.repository.pairings import readable
from hub.repository.patientless import patientless
from hub.repository.redoing import redoing
from hub.store.protocol import Claim, Conflict, PairDevice, Pairing, Replace, Stored, Unit
from hub.units import registered
from hub.units.judge import Finding, findings
from hub.units.listing import UnitView, views
from hub.units.registered import Opened, product_token
from hub.units.standing import TOGETHER_MAX, behind, follow
from hub.units.watch import Round, Watch

SECOND_US = 1_000_000
NO_UNIT = "there is no unit of this identifier; hub device units lists them"
TAKEN = "there is another unit with this {what} already: {row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """For people and scripts: what `hub device exchange` did."""

    old: str
    new: str
    at_us: int
    expires: str | None
    pairings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged:
    """For people and scripts: what `hub product change` did. `units`: how many took another standing."""

    product: Product
    units: int


class Registry(Operator):
    async def add_product(self, product: Product) -> str:
        """Its DeviceDefinition. Raises OperatorError if there is one of this name."""
        async with self.recording("product-add") as recording:
            if await registered.product(self._services, product.key) is not None:
                raise OperatorError(f"there is a product {product.key} already; hub product change changes its limits")
            made = await self._made("DeviceDefinition", self._services.new_id(), _definition(product))
            recording.touch(_of_nobody(made))
            unit = Unit(inserts=(made,), claims=(Claim(key=product_token(self._services, product.key), value=made.row),))
            try:
                await recording.commit(unit, writes=[write_of(made)])
            except Conflict as error:
                raise OperatorError(f"somebody else is registering {product.key} at this moment") from error
        return made.row

    async def change_product(self, key: str, changes: Mapping[str, Any]) -> ProductChanged:
        """Other limits, or another standing, for all of its units. Raises OperatorError.

        Limits are read from the product. The standing is copied to its units, some hundred in one transaction, each with its record:
        whoever is interrupted gives the command again, and what is behind follows.
        """
        async with self.recording("product-change") as recording:

            async def once() -> tuple[str, Product]:
                recording.forget()
                before, product = await self._product(key)
                changed = _valid(product, changes)
                made = await self._again(before, with_product(before.content, changed))
                recording.touch(_of_nobody(made))
                await recording.commit(Unit(replaces=(Replace(new=made, old=before.stored),)), writes=[write_of(made)])
                return before.reference, changed

            definition, product = await redoing(once, lambda: (key,), self._services.turns)
        follows = changes.keys() & {"standing", "risk_class"}
        return ProductChanged(product=product, units=await self._follow(key, definition) if follows else 0)

    async def _follow(self, key: str, definition: str) -> int:
        """Until none is behind what the product says by then: somebody else may be changing it at the same time, or registering a unit."""
        units = 0
        while rows := await behind(self._services, definition, (await self._product(key))[1]):
            for start in range(0, len(rows), TOGETHER_MAX):
                async with self.recording("product-change") as recording:
                    step = partial(self._take_standing, key, rows[start : start + TOGETHER_MAX], recording)
                    units += await redoing(step, lambda: (key,), self._services.turns)
        return units

    async def _take_standing(self, key: str, rows: Sequence[str], recording: Recording) -> int:
        return await follow(self._services, rows, (await self._product(key))[1], recording)

    async def products(self) -> list[tuple[str, Product]]:
        async with self.recording("product-list"):
            return sorted((await registered.products(self._services)).items(), key=lambda one: one[1].key)

    async def register(self, names: UnitNames, key: str, *, expires: str | None = None) -> str:
        """The Device of a unit: a new one, or that of a unit that was paired before anybody said what product it is.

        Raises OperatorError if it, or one with one of its names, is registered already.
        """
        token = device_token(self._services, names.system, names.identifier)

        async def step(recording: Recording) -> str:
            definition, product = await self._product(key)
            content = _device(names, product, definition, expires)
            before = await self._without_product(token)
            unit = Unit()
            if before is None:
                made = await self._made("Device", self._services.new_id(), content)
                unit.inserts = (made,)
            else:
                kept: dict[str, Any] = {
                    name: before.content[name] for name in ("status", "statusReason", "version") if name in before.content
                }
                made = await self._again(before, {**content, **kept})
                unit.replaces = (Replace(new=made, old=before.stored),)
            unit.claims = await self._claims(names, made.row)
            recording.touch(_of_nobody(made))
            await recording.commit(unit, writes=[write_of(made)])
            return made.row

        return await self._redone("device-register", token, step)

    async def units(self) -> list[UnitView]:
        """Every unit; of its state nothing is said that a person could be found by."""
        async with self.recording("device-show"):
            return await views(self._services, self._services.clock())

    async def status(self) -> list[tuple[UnitView, tuple[Finding, ...]]]:
        """How every unit does."""
        async with self.recording("device-status"):
            now_us = self._services.clock()
            return [(view, findings(view, now_us)) for view in await views(self._services, now_us)]

    async def watch(self) -> Round:
        """One round of the watch, now. A hub that serves does one every HUB_WATCH_S."""
        done = await Watch(self._services, self.recording).run()
        if not done.changed:
            async with self.recording("device-watch"):
                return done
        return done

    async def show(self, system: str, identifier: str) -> dict[str, Any]:
        async with self.recording("device-show") as recording:
            found = await self._unit(system, identifier)
            recording.touch(_of_nobody(found.stored))
            return found.content

    async def retire(self, system: str, identifier: str) -> str:
        """Status inactive: nobody has it any more, and the watch leaves it alone. Raises OperatorError while somebody has it."""
        token = device_token(self._services, system, identifier)

        async def step(recording: Recording) -> str:
            note, found = await self._repaired(token), await self._unit(system, identifier)
            if any(_open_at(pairing, self._services.clock()) for pairing in await self._services.store.pairings(token)):
                raise OperatorError("somebody has this unit now; hub device unpair first")
            made = await self._again(found, with_status(found.content, "inactive"))
            recording.touch(_of_nobody(made))
            unit = Unit(replaces=(Replace(new=made, old=found.stored),), notes=[note])
            await recording.commit(unit, writes=[write_of(made)])
            return made.row

        return await self._redone("device-retire", token, step)

    async def exchange(self, old: tuple[str, str], names: UnitNames, *, at_us: int, key: str | None, expires: str | None) -> Exchanged:
        """A new unit for whoever has the old one, from one instant on. DEVICES 1.6: every exchange of a sensor is a new Device.

        What the old one measured before that instant and sends later still goes to whoever had it then: its pairing ends, and stays.
        key  of the new unit's product; None: that of the old one
        """
        token = device_token(self._services, *old)

        async def step(recording: Recording) -> Exchanged:
            return await self._exchange(recording, old, names, at_us, key, expires)

        try:
            return await self._redone("device-exchange", token, step)
        except Conflict as error:
            raise OperatorError("others wrote to these units again and again, and nothing was changed; try again") from error

    async def _exchange(
        self, recording: Recording, old: tuple[str, str], names: UnitNames, at_us: int, key: str | None, expires: str | None
    ) -> Exchanged:
        services = self._services
        before = await self._unit(*old)
        token, new_token = device_token(services, *old), device_token(services, names.system, names.identifier)
        notes = [await self._repaired(one) for one in (token, new_token)]
        worn = [pairing for pairing in await services.store.pairings(token) if _open_at(pairing, at_us)]
        if not worn:
            raise OperatorError("nobody has the old unit at that time; pair the new one with hub device pair")
        definition, product = await self._product_of(before, key)
        until = expires or _wear_end(product, at_us)
        made = await self._made("Device", services.new_id(), _device(names, product, definition, until))
        retired = await self._again(before, with_status(before.content, "inactive"))
        changes = await self._handed_over(recording, worn, (before.row, made.row), new_token, at_us)
        writes = [write_of(made), write_of(retired)]
        for one in (made, retired):
            recording.touch(_of_nobody(one))
        unit = Unit(
            inserts=(made,),
            claims=await self._claims(names, made.row),
            replaces=(Replace(new=retired, old=before.stored),),
            pairings=changes,
            notes=notes,
        )
        await recording.commit(unit, writes=writes)
        ids = tuple(one.pairing.id for one in changes if one.device_row == made.row)
        return Exchanged(old=before.row, new=made.row, at_us=at_us, expires=until, pairings=ids)

    async def _handed_over(
        self, recording: Recording, worn: Sequence[Pairing], rows: tuple[str, str], new_token: bytes, at_us: int
    ) -> list[PairDevice]:
        """The old unit's pairings ended at the instant, and the new one's that begin then and end when the old ones would have."""
        old, new = rows
        changes = []
        told = await readable(self._services, worn)
        patients = tuple(sorted({pairing.patient for pairing, _ in told}))
        for pairing, said in told:
            held = binding(pairing, said)
            patient = held.patient_reference
            recording.touch(Touched(reference=new, version=None, patient=pairing.patient, patient_reference=patient, basis="operator"))
            made = await self._pairing(new_token, new, patient, pairing.patient, at_us, pairing.to_us, held.use)
            changes += [
                PairDevice(pairing=replace(pairing, to_us=at_us), device_row=old, device_patients=patients),
                PairDevice(pairing=made, device_row=new, device_patients=patients),
            ]
        return changes

    async def _product(self, key: str) -> tuple[Opened, Product]:
        found = await registered.product(self._services, key)
        if found is None:
            raise OperatorError(f"there is no product {key}; hub product list shows them, hub product add registers one")
        return found

    async def _product_of(self, unit: Opened, key: str | None) -> tuple[Opened, Product]:
        if key is not None:
            return await self._product(key)
        reference = unit.content.get("definition", {}).get("reference", "")
        product = (await registered.products(self._services)).get(reference)
        if product is None:
            raise OperatorError("the old unit has no product of the registry; say the new one's with --product")
        return await self._product(product.key)

    async def _unit(self, system: str, identifier: str) -> Opened:
        row = await self._services.store.claim(device_token(self._services, system, identifier))
        found = None if row is None else await registered.unit(self._services, row)
        if found is None:
            raise OperatorError(NO_UNIT)
        return found

    async def _without_product(self, token: bytes) -> Opened | None:
        """A unit that is known by its pairing alone."""
        row = await self._services.store.claim(token)
        found = None if row is None else await registered.unit(self._services, row)
        return None if found is None or "definition" in found.content else found

    async def _claims(self, names: UnitNames, row: str) -> list[Claim]:
        """Of everything that can be only one unit's, but for what is this one's. Raises OperatorError for what another one has."""
        blind = self._services.blind
        wanted = {"identifier": device_token(self._services, names.system, names.identifier)}
        if names.eui_64:
            wanted["EUI-64"] = blind.token("device-eui-64", names.eui_64)
        if names.bluetooth:
            wanted["Bluetooth address"] = blind.token("device-eui-48", names.bluetooth)
        serial = agreed(names)
        if names.udi and serial:
            wanted["UDI and serial number"] = blind.token("device-udi", f"{names.udi.issuer}|{names.udi.identifier}|{serial}")
        held = await self._services.store.claims(list(wanted.values()))
        for what, key in wanted.items():
            if held.get(key, row) != row:
                raise OperatorError(TAKEN.format(what=what, row=held[key]))
        return [Claim(key=key, value=row) for key in wanted.values() if key not in held]

    async def _again(self, before: Opened, content: Mapping[str, Any]) -> Stored:
        """The next version of what lies there, for whoever it concerned before."""
        services, stored = self._services, before.stored
        services.check(content)
        key = await services.vault.key(None)
        made = patientless(services, key, stored.row, stored.version + 1, content, before.content["id"], services.clock())
        return made._replace(others=stored.others)


def _definition(product: Product) -> dict[str, Any]:
    try:
        return device_definition(product)
    except BadUdi as error:
        raise OperatorError(f"--udi-di: {error}") from error


def _valid(product: Product, changes: Mapping[str, Any]) -> Product:
    """A class goes with being a medical device, unless another one is given."""
    lost = {"risk_class": None} if changes.get("standing", product.standing) != "medical-device" else {}
    try:
        return replace(product, **{**lost, **changes})
    except ValueError as error:
        raise OperatorError(str(error)) from error


def _device(names: UnitNames, product: Product, definition: Opened, expires: str | None) -> dict[str, Any]:
    try:
        if names.udi is not None:
            require_of(product, names.udi)
        return unit_device(names, product, definition=definition.reference, expires=expires)
    except ValueError as error:
        raise OperatorError(str(error)) from error


def _wear_end(product: Product, from_us: int) -> str | None:
    return None if product.lifetime_s is None else fhir_instant(from_us + product.lifetime_s * SECOND_US)


def _open_at(pairing: Pairing, us: int) -> bool:
    return (pairing.from_us is None or pairing.from_us <= us) and (pairing.to_us is None or pairing.to_us > us)


def _of_nobody(stored: Stored) -> Touched:
    """Products and units are nobody's; whom a unit's Device names is told by its row."""
    return Touched(
        reference=stored.row, version=stored.version, patient=None, patient_reference=None, basis="operator", others=stored.others
    )
