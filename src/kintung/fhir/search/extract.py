"""From a resource to its index rows.

``resource`` has passed structure validation: elements have the shapes of their definitions.
"""

from typing import Any

from kintung.fhir.search.rows import Extracted


def extract(resource: dict[str, Any], *, offset_minutes: int = 480) -> Extracted:
    """Return the index rows of a valid resource.

    Args:
        resource: as ``kintung.fhir.json.parse`` gives it, decimals as Decimal or int.
        offset_minutes: zone of dates without one, minutes east of UTC.
    """
    raise NotImplementedError
