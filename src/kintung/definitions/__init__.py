"""Facts as dated data, and the strict reader of them.

Whose data a resource is (:func:`owners`), which identifiers may only be indexed as keyed
hashes (:func:`vaulted_system`), and what may be subscribed to (:func:`topics`). What synthetic
people are made by has modules of its own that a node does not read: ``population``,
``name_frequencies`` and ``corruptions``.
"""

from kintung.definitions.check_digits import hkid_check_digit, is_hkid, is_mainland_id, mainland_check_digit
from kintung.definitions.owners import Owners, Rule, owners, ownership_rule, ownership_rules
from kintung.definitions.topics import Topic, Trigger, topics
from kintung.definitions.vaulted import (
    VaultedSystem,
    naming_systems,
    normal_forms,
    vaulted_fingerprint,
    vaulted_system,
    vaulted_systems,
)

__all__ = [
    "Owners",
    "Rule",
    "Topic",
    "Trigger",
    "VaultedSystem",
    "hkid_check_digit",
    "is_hkid",
    "is_mainland_id",
    "mainland_check_digit",
    "naming_systems",
    "normal_forms",
    "owners",
    "ownership_rule",
    "ownership_rules",
    "topics",
    "vaulted_fingerprint",
    "vaulted_system",
    "vaulted_systems",
]
