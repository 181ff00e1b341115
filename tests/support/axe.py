"""axe-core over a page in the browser: what people with a screen reader, a keyboard or weak eyes would stumble over.

https://www.w3.org/TR/WCAG22/. `npm ci` installs what the lock file pins, by its hash; the script is handed to the browser by the
debugger, so that the page keeps its own policy, under which no script runs.
"""

import shutil
from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.e2e.clients.given import HERE, need, once, run

SOURCE = HERE / "axe"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def accessibility_faults(page: Page) -> list[str]:
    """One line for each fault: the rule, what it asks for, and where on the page. Empty where there is none."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(_script())
    found: dict[str, Any] = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", list(TAGS))
    assert found["passes"], "axe looked at nothing"
    return [f"{fault['id']}: {fault['help']}: {node['html'][:120]}" for fault in found["violations"] for node in fault["nodes"]]


@cache
def _script() -> str:
    need("npm")
    with once("axe") as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, folder / name)
        script = folder / "node_modules" / "axe-core" / "axe.min.js"
        if not (folder / "node_modules" / ".package-lock.json").exists():
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        return script.read_text("utf-8")
