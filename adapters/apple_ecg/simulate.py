"""A watch's electrocardiogram as its export has it, written from samples: README.md has the form.

The class, which a watch gives beside the strip, is left blank: it would be a second reading of the same file, and no measurement.
"""

from typing import Final

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, strip

HERTZ: Final = 512
RECORDED: Final = "%Y-%m-%d %H:%M:%S %z"


def _file(scene: Scene, values: Values) -> str:
    """Without a value there are no samples below the head."""
    head = (
        'Name,"Simulated Nobody"',
        'Date of Birth,"Jan 1, 1980"',
        f"Recorded Date,{scene.at.strftime(RECORDED)}",
        "Classification,",
        "Symptoms,",
        "Software Version,2.0",
        'Device,"Simulated"',
        f"Sample Rate,{HERTZ} hertz",
        "",
        "",
        "Lead,Lead I",
        "Unit,µV",
        "",
    )
    return "\n".join((*head, *(values[""] or "").split(), ""))


SIMULATOR = Writer(
    sorts=[strip("ecg-lead-i", "uV", ("-400", "900"), decimals=3)],
    unit="WATCH-{:05}",
    record=_file,
    payload=lambda files: "".join(files).encode(),
    sender_names_device=True,
)
