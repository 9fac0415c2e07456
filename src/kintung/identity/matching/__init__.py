"""Whether two records are of one person: features, levels of agreement, a score, a result.

The score is that of Fellegi and Sunter (1969): the sum over comparisons of log2(m/u). See
``docs/explanation/identity.md``. Pure: no input or output but the packaged tables, no clock, no
chance; nothing depends on the order of records.
"""

from kintung.identity.matching.blocking import blocking_keys, likeness_keys, number_keys, stored_keys
from kintung.identity.matching.clusters import clusters
from kintung.identity.matching.features import Record, record, record_again, record_of
from kintung.identity.matching.scores import Match, Result, Term, explain, match

__all__ = [
    "Match",
    "Record",
    "Result",
    "Term",
    "blocking_keys",
    "clusters",
    "explain",
    "likeness_keys",
    "match",
    "number_keys",
    "record",
    "record_again",
    "record_of",
    "stored_keys",
]
