"""What the pages under /docs say, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import WORDS, Said

DOCS: Mapping[str, Said] = {
    **{key: WORDS[key] for key in ("title", "skip", "languages", "promise")},
    "docs": Said("The API of this hub", "L’API de ce hub"),
    "docs-lede": Said(
        "FHIR R4 (4.0.1) over REST. Everything here is read from the tables that the hub runs by.",
        "FHIR R4 (4.0.1) en REST. Tout ici est lu dans les tables qui font tourner le hub.",
    ),
    "contents": Said("On this page", "Sur cette page"),
    "start": Said("Before the first request", "Avant la première requête"),
    "start-why": Said(
        "A client proves itself with its key and gets a token of five minutes. The commands below use the two variables.",
        "Un client se prouve par sa clé et reçoit un jeton de cinq minutes. Les commandes plus bas emploient les deux variables.",
    ),
    "hidden": Said(
        "What patients have not permitted does not exist for you: not in answers, totals or pages, nor in the text of an error.",
        "Ce que les patients n’ont pas permis n’existe pas pour vous : ni réponse, ni total, ni page, ni texte d’erreur n’en dit rien.",
    ),
    "machines": Said("For programs", "Pour les programmes"),
    "machine-openapi": Said("OpenAPI 3.1", "OpenAPI 3.1"),
    "machine-metadata": Said("CapabilityStatement", "CapabilityStatement"),
    "machine-smart": Said("SMART configuration", "Configuration SMART"),
    "interactions": Said("Interactions", "Interactions"),
    "interactions-why": Said(
        "Each can be opened: a command to try, and what may come back.", "Chacune s’ouvre : une commande à essayer, et ce qui peut revenir."
    ),
    "answers": Said("Answers", "Réponses"),
    "specification": Said("Specification", "Spécification"),
    "headers": Said("Headers that count:", "En-têtes qui comptent :"),
    "types": Said("Resource types", "Types de ressources"),
    "types-why": Said("Each has its page with all its search parameters.", "Chacun a sa page, avec tous ses paramètres de recherche."),
    "types-others": Said("All the others", "Tous les autres"),
    "parameters": Said("search parameters", "paramètres de recherche"),
    "searching": Said("How values are written", "Comment s’écrivent les valeurs"),
    "searching-why": Said(
        "A parameter given twice: both hold. Values parted by commas: one holds.",
        "Un paramètre donné deux fois : les deux valent. Des valeurs séparées par des virgules : l’une vaut.",
    ),
    "results": Said("What shapes an answer", "Ce qui donne sa forme à la réponse"),
    "errors": Said("Errors", "Erreurs"),
    "errors-why": Said(
        "Always an OperationOutcome: a code of R4, a text that says what to do, the place where one can be named. Never a value of yours.",
        "Toujours un OperationOutcome : un code de R4, un texte qui dit que faire, l’endroit quand il se nomme. Jamais une de vos valeurs.",
    ),
    "done": Said("Done", "Fait"),
    "not-modified": Said("Not modified", "Non modifié"),
    "back": Said("All types and interactions", "Tous les types et interactions"),
    "type-lede": Said("What can be done with it, and how it is searched.", "Ce qu’on peut en faire, et comment on le cherche."),
    "type-search": Said("Search parameters", "Paramètres de recherche"),
    "type-search-why": Said(
        "An example for each; the values are invented and find nothing.",
        "Un exemple pour chacun ; les valeurs sont inventées et ne trouvent rien.",
    ),
    "in-r4": Said("in the specification", "dans la spécification"),
}
