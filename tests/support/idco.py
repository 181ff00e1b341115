"""An interrogation of an implant with its report, as PCD-09; the implant is named after a word of the test's own."""

from adapters.idco.simulate import one_page, report

NAMED = one_page("Interrogation of Ada Lovelace")
"""A report that names whom it is about, as reports do."""
TIME = "2026-03-01T09:30:00+01:00"


def implant(word: str) -> str:
    """As `hub device pair` is told."""
    return f"MDT/MODEL:D284DRG/SERIAL:{word}"


def interrogation(word: str, content: bytes = NAMED, *rows: str, control_id: str = "R-1") -> str:
    """The message; `rows` come after the report."""
    maker, _, unit = implant(word).partition("/")
    return "\r".join(
        (
            rf"MSH|^~\&|MAKER|CLINIC|HUB|HDS|20260301101502+0100||ORU^R01^ORU_R01|{control_id}|P|2.6|||||UNICODE UTF-8",
            f"PID|1||IPP-4711^^^CHU^PI~{unit}^^^{maker}^U||Lovelace^Ada",
            "OBR|1||S-77|754050^MDC_IDC_ENUM_SESS_TYPE_InClinic^MDC|||20260301093000",
            report(content),
            *rows,
        )
    )
