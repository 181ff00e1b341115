"""What `hub demo run` tells a person: where the hub is, who may log in, and three commands that work as printed. Pure."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from hub.demo.accounts import KEPT, Login
from hub.demo.clients import COMPLIANCE, EHR

WHY = "trying the demo"
BLOOD_PRESSURE = "http://loinc.org|85354-9"
STYLE = "  {:<18}{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaflet:
    """`hub`, `python`, `data_dir` and the keys as they are to be typed in the directory where the person is."""

    base_url: str
    hub: str
    python: str
    data_dir: str
    ehr: str
    ehr_key: str
    compliance: str
    compliance_key: str
    people: tuple[Login, ...] = ()

    def commands(self) -> tuple[str, str, str]:
        """A token, a search with it, and what the log says of the two; for a POSIX shell."""
        search = f"{self.base_url}/fhir/Observation?code={BLOOD_PRESSURE}&_sort=-date&_count=2"
        token = shlex.join([self.hub, "token", "--base-url", self.base_url, "--client-id", self.ehr, "--key", self.ehr_key])
        return (
            f"TOKEN=$({token})",
            f'curl -s -H "Authorization: Bearer $TOKEN" {shlex.quote(search)} | {shlex.join([self.python, "-m", "json.tool"])}',
            shlex.join([self.hub, "audit", "query", "--client", self.ehr, "--limit", "5", "--reason", WHY, "--data-dir", self.data_dir]),
        )

    def _people(self) -> tuple[str, ...]:
        """Who may sign in with a browser; a password is shown when it is made, and never again."""
        if not self.people:
            return ()
        shown = (STYLE.format(one.role, f"{one.login}  {one.password or KEPT}") for one in self.people)
        where = f"{self.base_url}/account/sign-in"
        return (f"Demo people, who sign in at {where}; all but the patient set up an authenticator app first:", "", *shown, "")

    def text(self) -> str:
        base = self.base_url
        return "\n".join(
            (
                "",
                f"The hub runs. First page: {base}/",
                "",
                STYLE.format("FHIR base", f"{base}/fhir"),
                STYLE.format("what it offers", f"{base}/fhir/metadata"),
                STYLE.format("SMART", f"{base}/fhir/.well-known/smart-configuration"),
                STYLE.format("device data", f"{base}/ingest/{{adapter}}"),
                "",
                "Demo clients. They have keys, no passwords; the keys are yours alone to read:",
                "",
                STYLE.format("for treatment", f"{self.ehr}  {EHR.scope}  {self.ehr_key}"),
                STYLE.format("for compliance", f"{self.compliance}  {COMPLIANCE.scope}  {self.compliance_key}"),
                "",
                *self._people(),
                "Three commands to try, in another terminal, in this directory:",
                "",
                *(f"  {command}" for command in self.commands()),
                "",
                "Ctrl-C ends the hub; the data stays in its directory.",
                "",
            )
        )


def typed(path: Path, here: Path) -> str:
    """The path as one types it in the directory `here`."""
    absolute = here / path
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)
