"""The project's own sample: synthetic people of Hong Kong, Macao and Guangdong, some with care.

The people are those of ``kintung synth``, each known to one system or several. Nobody is real. Every
resource carries the tag ``HTEST`` (test health data), every organisation is called synthetic, and
identity numbers lie where none is issued: ``docs/reference/definitions.md`` says where. It is made by
``scripts/make_sample.py``.
"""

from pathlib import Path

HTEST_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
HTEST = "HTEST"
"""Code of the tag that every resource of the sample carries in ``meta.tag``."""


def sample_bundles() -> Path:
    """Return the sample: gzipped NDJSON, one FHIR R4 transaction Bundle a line.

    To be loaded in order: the first Bundle creates, where they do not exist, the
    organisations and practitioners that the others refer to by identifier; the last refers to
    patients of all.
    """
    return Path(__file__).parent / "bundles.ndjson.gz"
