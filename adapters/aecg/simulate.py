"""An annotated ECG of one lead, written from samples: HL7 V3 aECG release 1, README.md has the form."""

from typing import Final

from adapters.aecg.mapping import LEAD_PREFIX
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, strip
from adapters.leads import LEADS

MDC: Final = "2.16.840.1.113883.6.24"
INCREMENT_S: Final = "0.002"
SCALE_UV: Final = "5"
CODES: Final = {measure: f"{LEAD_PREFIX}{name.upper()}" for name, measure in LEADS.items()}
DOCUMENT: Final = """<?xml version="1.0" encoding="UTF-8"?>
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <id root="2.25.{number}"/><code code="93000" codeSystem="2.16.840.1.113883.6.12"/>
 <effectiveTime><low value="{at}"/></effectiveTime>
 <componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject><subjectDemographicPerson>
  <name>Simulated Nobody</name>
 </subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf>
 <component><series>
  <code code="RHYTHM" codeSystem="2.16.840.1.113883.5.4"/><effectiveTime><low value="{at}"/></effectiveTime>
  <author><seriesAuthor><manufacturedSeriesDevice>
   <id root="2.25.1" extension="{device}"/>
  </manufacturedSeriesDevice></seriesAuthor></author>
  <component><sequenceSet>
   <component><sequence><code code="TIME_ABSOLUTE" codeSystem="2.16.840.1.113883.5.4"/>
    <value xsi:type="GLIST_TS"><head value="{at}"/><increment value="{increment}" unit="s"/></value></sequence></component>
   <component><sequence><code code="{lead}" codeSystem="{mdc}"/>
    <value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/><scale value="{scale}" unit="uV"/><digits>{digits}</digits></value>
   </sequence></component>
  </sequenceSet></component>
 </series></component>
</AnnotatedECG>
"""


def _document(scene: Scene, values: Values) -> str:
    """Without a value there are no digits."""
    return DOCUMENT.format(
        number=scene.number + 1,
        at=f"{scene.at.year:04}{scene.at:%m%d%H%M%S%z}",
        device=scene.device,
        increment=INCREMENT_S,
        lead=CODES[scene.sort.measure],
        mdc=MDC,
        scale=SCALE_UV,
        digits=values[""] or "",
    )


SORTS: Final = [strip(measure, "uV", ("-200", "400")) for measure in CODES]
SIMULATOR = Writer(
    sorts=SORTS[:3], more=SORTS[3:], unit="CART-{:05}", record=_document, payload=lambda documents: "".join(documents).encode()
)
