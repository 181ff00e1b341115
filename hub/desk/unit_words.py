"""What the page about units says, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said

UNIT_WORDS: Mapping[str, Said] = {
    "units": Said("Units of devices", "Objets de santé"),
    "units-lede": Said(
        "Which units somebody should look at: silent, drifting, low, expiring. Whose they are is not on this page.",
        "Les objets dont quelqu’un devrait s’occuper : muets, mal réglés, déchargés, périmés. À qui ils sont n’est pas sur cette page.",
    ),
    "units-registered": Said("Registered", "Enregistrés"),
    "units-paired": Said("Somebody has one", "Portés en ce moment"),
    "units-filter": Said("Show", "Afficher"),
    "units-something": Said("Something is the matter", "À regarder"),
    "units-all": Said("All", "Tous"),
    "units-sought": Said("Name of a unit, product or maker", "Nom d’un objet, d’un produit ou d’un fabricant"),
    "units-seek": Said("Search", "Chercher"),
    "units-none": Said("No unit to show.", "Aucun objet à montrer."),
    "units-well": Said("nothing", "rien"),
    "units-more": Said(
        "There are more units than this page shows: search by a name, or hub device status --json lists all of them. Not shown:",
        "Il y a plus d’objets que cette page n’en montre : cherchez par un nom, ou hub device status --json les liste tous. Non montrés :",
    ),
    "unit": Said("Unit", "Objet"),
    "unit-findings": Said("What is the matter", "À signaler"),
    "unit-seen": Said("Last seen", "Vu pour la dernière fois"),
    "unit-ago": Said("ago", "plus tôt"),
    "unit-never": Said("never", "jamais"),
    "unit-battery": Said("Battery", "Batterie"),
    "unit-clock": Said("Clock", "Horloge"),
    "unit-expires": Said("Expires (UTC)", "Expire (UTC)"),
    "unit-firmware": Said("Firmware", "Micrologiciel"),
    "unit-paired": Said("in use", "porté"),
    "unit-not-paired": Said("nobody has it", "à personne"),
    "status-active": Said("active", "actif"),
    "status-unknown": Said("status unknown", "état inconnu"),
    "status-inactive": Said("out of use", "retiré"),
    "status-entered-in-error": Said("entered in error", "saisi par erreur"),
    "battery-low": Said("low", "faible"),
    "battery-medium": Said("medium", "moyenne"),
    "battery-high": Said("high", "pleine"),
}

FINDING_WORDS: Mapping[str, Said] = {
    "finding-silent": Said("Silent", "Muet"),
    "finding-drifting": Said("Clock drifts", "Horloge décalée"),
    "finding-other-zone": Said("Another time zone", "Autre fuseau horaire"),
    "finding-low-battery": Said("Battery low", "Batterie faible"),
    "finding-expiring": Said("Expires in two days", "Expire sous deux jours"),
    "finding-expired": Said("Expired", "Expiré"),
}
