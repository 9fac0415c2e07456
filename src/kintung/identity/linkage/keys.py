"""Keys of very many records as SQL, made of the same table as those of one record."""

from kintung.identity.linkage.tables import SETS
from kintung.identity.matching.blocking import KEYS, Key


def keys() -> str:
    """The query for each ``record`` of ``records`` and each ``key`` of it, as 64 bits."""
    return " union all ".join(map(_rows, KEYS))


def _rows(key: Key) -> str:
    """One part after another is spread, so that every combination is made."""
    made = [f"'{key.prefix}'"]
    parts = ", ".join(f"{_texts(part)} as part_{place}" for place, part in enumerate(key.parts))
    query = f"select record, {parts} from records"
    for place in range(len(key.parts)):
        query = f"select * replace (unnest(part_{place}) as part_{place}) from ({query})"
        made.append(f"part_{place}")
    return f"select record, hash({', '.join(made)}) as key from ({query})"


def _texts(part: tuple[str, ...]) -> str:
    found = " || ".join(
        feature if feature in SETS else f"list_filter([{feature}], lambda text: text is not null)"
        for feature in part
    )
    return f"list_distinct({found})" if len(part) > 1 else found
