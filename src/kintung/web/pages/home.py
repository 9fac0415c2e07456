"""GET /: what this node is, where it leads, and in a demo whom to open.

It says nothing of the record. The people of a demo are invented, and come from its settings.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import NamedTuple

from kintung.consent import Right
from kintung.web.about import Carried, Invented, Jurisdiction
from kintung.web.fhir.answer import Answer
from kintung.web.pages.catalogues import N_
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.sections import RECORD, may_open
from kintung.web.site import Site

PATH = "/"
JURISDICTIONS: Mapping[Jurisdiction, str] = {
    "hong-kong": N_("Hong Kong"),
    "macao": N_("Macao"),
    "guangdong": N_("Guangdong"),
}
TRAITS: Mapping[Carried, str] = {
    "across": N_("On both sides of the boundary, in two scripts: %(n)s\u00a0records"),
    "pressure": N_("Blood pressure: %(n)s\u00a0readings"),
    "glucose": N_("HbA1c: %(n)s\u00a0results"),
    "allergy": N_("Allergy: %(what)s"),
    "vaccines": N_("Vaccinations: %(n)s"),
}


class Door(NamedTuple):
    """A place the node leads to; ``title`` and ``about`` are messages."""

    address: str
    title: str
    about: str
    right: Right | None = None


DOORS = (
    Door(
        "/find",
        N_("Find a person"),
        N_("By a name in any script, an identity number or a birth date."),
        Right.VIEW,
    ),
    Door(
        "/steward",
        N_("Who is who"),
        N_("Pairs of records that may be of one person, for stewards to decide."),
        Right.STEWARD,
    ),
    Door("/api", N_("API"), N_("What programs may ask of this node, with commands to try.")),
    Door(
        "/seeds",
        N_("Policy map"),
        N_("What public documents of policy ask for, in their own words, and how far each has come."),
    ),
)


def home(site: Site, asked: Asked) -> Answer:
    """The first page of the node."""
    about = site.settings.about
    people: tuple[Invented, ...] = about.demo.people if about.demo is not None else ()
    return page(
        site,
        asked,
        "home.html",
        (),
        jurisdiction=JURISDICTIONS[about.jurisdiction],
        is_protected=about.is_protected,
        is_demo=about.demo is not None,
        people=people,
        leads_to_people=may_open(RECORD, asked.access.rights),
        traits=TRAITS,
        doors=[each for each in DOORS if each.right is None or each.right in asked.access.rights],
        base=asked.base,
        release=f"Kintung {version('kintung')}, FHIR\u00a0R4\u00a0(4.0.1)",
    )
