"""Compartments in SQL: what refers to their owners, and everything that leads to.

``r`` is the resource asked, ``c`` one in a compartment, on which the reader's predicate stands before
anything follows from what it refers to. Source: http://hl7.org/fhir/R4/compartmentdefinition.html.
"""

from kintung.fhir.search import Care, Compartment, Everything, members
from kintung.store.sql.clauses import ALWAYS, NEVER, Clause, among, every, listed, some, starting
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.search.index_rows import by_resource, of_resource
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.references import Ends, leading
from kintung.store.sql.visibility import StoredReader, visible


def of_compartment(lookups: Lookups, compartment: Compartment) -> Ends:
    """The references that put a resource into a compartment."""
    atoms = [branch.atom for branch in compartment.parameter.branches]
    return Ends(atoms, lookups.owners(compartment.type, compartment.ids))


def probe_compartment(lookups: Lookups, compartment: Compartment, r: str) -> Clause:
    """Is the resource at alias ``r`` in the compartment?"""
    ends = of_compartment(lookups, compartment)
    found = of_resource(lookups.db, "ix_reference x", leading(lookups.db, [ends]), r)
    options = [Clause(f"{found.text} IS NOT NULL", found.values)] if ends.atoms and ends.targets else []
    if compartment.itself:
        options.append(listed(lookups.db, f"{r}.key", ends.targets))
    return some(*options)


def keys_of_compartment(lookups: Lookups, compartment: Compartment) -> Clause:
    """A query of (patient_key, key) of what is in the compartment, with repetitions."""
    ends = of_compartment(lookups, compartment)
    rows = leading(lookups.db, [ends])
    found = Clause(f"SELECT x.patient_key, x.key FROM ix_reference x WHERE {rows.text}", rows.values)
    if not compartment.itself:
        return found
    own = listed(lookups.db, "e.key", ends.targets)
    return Clause(
        f"{found.text} UNION ALL SELECT e.patient_key, e.key FROM entity e WHERE {own.text}",
        found.values + own.values,
    )


def probe_everything(lookups: Lookups, who: StoredReader, asked: Everything, r: str) -> Clause:
    """Is the resource at alias ``r`` among everything?"""
    found = keys_of_everything(lookups, who, asked)
    return Clause(f"{r}.key IN (SELECT k.key FROM ({found.text}) k)", found.values)


def keys_of_everything(lookups: Lookups, who: StoredReader, asked: Everything) -> Clause:
    """A query of (patient_key, key): of what the reader sees in the compartment, and of what that leads to.

    Each target is looked up once, however many refer to it.
    """
    db = lookups.db
    inside = keys_of_compartment(lookups, asked.compartment)
    each = Clause(f"({inside.text}) k0", inside.values)
    named = starting(db, each, Clause("n.key = k0.key"), to="entity n")
    typed = Clause(f"(SELECT DISTINCT k0.patient_key, k0.key, n.type FROM {named.text}) k1", named.values)
    types = [TYPE_NUMBERS[type] for type in sorted(members(asked.compartment.type))]
    by = every(
        Clause("c.patient_key = k1.patient_key AND c.type = k1.type AND c.key = k1.key"),
        among("c.type", types),
    )
    met = every(Clause("c.deleted = 0"), visible(who, "c"), _cared_for(lookups, asked.care))
    seen = starting(db, typed, by, met, "resource c")
    of_seen = Clause("x.patient_key = m.patient_key AND x.key = m.key")
    led = starting(db, Clause("m"), of_seen, to=by_resource(db, "ix_reference x"))
    others = Clause("e.type <> ?", (TYPE_NUMBERS[asked.apart],)) if asked.apart else ALWAYS
    targets = starting(db, Clause("t"), Clause("e.key = t.target"), others, to="entity e")
    return Clause(
        f"WITH m AS MATERIALIZED (SELECT c.patient_key, c.key FROM {seen.text}),"
        f" t AS MATERIALIZED (SELECT DISTINCT x.target FROM {led.text})"
        " SELECT m.patient_key, m.key FROM m"
        f" UNION ALL SELECT e.patient_key, e.key FROM {targets.text}",
        seen.values + led.values + targets.values,
    )


def _cared_for(lookups: Lookups, care: Care | None) -> Clause:
    """Does a date of ``c`` overlap the time of care, or has it none?"""
    if care is None:
        return ALWAYS
    dates = among("x.atom", [branch.atom for branch in care.parameter.branches])
    if dates == NEVER:
        return ALWAYS
    overlapping = every(dates, Clause("x.low < ? AND x.high > ?", (care.high, care.low)))
    within = of_resource(lookups.db, "ix_date x", overlapping, "c")
    anyhow = of_resource(lookups.db, "ix_date x", dates, "c")
    return Clause(f"({within.text} IS NOT NULL OR {anyhow.text} IS NULL)", within.values + anyhow.values)
