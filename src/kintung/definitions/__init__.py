"""Facts as dated data, and the strict reader of them.

Whose data a resource is (:func:`owners`), which systems of identifiers there are
(:func:`naming_systems`), and what may be subscribed to (:func:`topics`). What synthetic
people are made by has modules of its own that a node does not read: ``population``,
``name_frequencies`` and ``corruptions``.
"""

from kintung.definitions.naming import NamingSystem, naming_systems
from kintung.definitions.owners import Owners, Rule, owners, ownership_rule, ownership_rules
from kintung.definitions.topics import Topic, Trigger, topics

__all__ = [
    "NamingSystem",
    "Owners",
    "Rule",
    "Topic",
    "Trigger",
    "naming_systems",
    "owners",
    "ownership_rule",
    "ownership_rules",
    "topics",
]
