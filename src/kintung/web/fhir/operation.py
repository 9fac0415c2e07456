"""How an operation is asked: by parameters of the address, or by a Parameters resource and POST.

An operation that changes nothing is asked by GET where its parameters are primitive, and by POST always:
http://hl7.org/fhir/R4/operations.html#executing. What each may be sent is read from its
OperationDefinition, compiled by ``scripts/build_operations.py``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, cast

import msgspec

from kintung.consent import Policy, Right
from kintung.errors import StructureInvalid, TooLong, ValueInvalid
from kintung.fhir.json import parse
from kintung.fhir.structure import require_valid
from kintung.web.fhir.registry import Interaction, Reads
from kintung.web.fhir.request import HOW, Pairs, Request, not_offered
from kintung.web.site import Site

ARTEFACT = "operations.json"


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One parameter of an operation; ``type`` is that of its value."""

    name: str
    type: str
    repeats: bool


_OF_IHE = {
    "https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix": (
        Input("sourceIdentifier", "string", False),
        Input("targetSystem", "uri", True),
    )
}
"""Operations that R4 does not define: https://profiles.ihe.net/ITI/PIXm/OperationDefinition-IHE.PIXm.pix.html."""


def inputs_of(operation: str) -> Mapping[str, Input]:
    """What the operation of this canonical takes, by name; one that is not known takes nothing here."""
    return {each.name: each for each in _operations().get(operation) or _OF_IHE.get(operation, ())}


@cache
def _operations() -> Mapping[str, tuple[Input, ...]]:
    packaged = (files("kintung.fhir") / "data" / ARTEFACT).read_bytes()
    return msgspec.json.decode(packaged, type=dict[str, tuple[Input, ...]])


def pairs_of(site: Site, request: Request, operation: str, *, searches: bool = False) -> Pairs:
    """What is asked, as names and values; ``searches``: whatever else is asked is of a search.

    Raises:
        NotSupported: the operation takes no such parameter.
        ValueInvalid: one is given more often than the operation takes it.
        StructureInvalid: the body is no Parameters, or a parameter of it has no primitive value, or one
            of another type than the operation takes.
        TooLong: the body is over the limit of a form.
    """
    known = inputs_of(operation)
    sent = tuple(_in_body(site, request, known)) if request.method == "POST" else ()
    pairs = (*request.pairs, *sent)
    seen: set[str] = set()
    for name, _ in pairs:
        if name not in known:
            if not searches and name not in HOW and name != "_cursor":
                raise not_offered(name)
        elif name in seen and not known[name].repeats:
            raise ValueInvalid(f"{name} is given once.", path=name)
        seen.add(name)
    return pairs


def pairs_with(
    request: Request, sent: dict[str, Any], operation: str, type: str
) -> tuple[Pairs, dict[str, Any], str]:
    """What is asked of an operation whose input is one resource, and that resource with its FHIRPath.

    It is sent alone, with what else is asked in the address, or in Parameters.

    Args:
        sent: the body, parsed.
        type: what the resource is to be.

    Raises:
        NotSupported: the operation takes no such parameter.
        ValueInvalid: one is given more often than once.
        StructureInvalid: what was sent, or a parameter of it, is not what the operation takes.
    """
    known = inputs_of(operation)
    require_valid(sent)
    pairs = list(request.pairs)
    found: list[tuple[dict[str, Any], str]] = [(sent, type)] if sent["resourceType"] != "Parameters" else []
    for place, parameter in enumerate(cast(list[dict[str, Any]], sent.get("parameter", []))):
        path, name = f"Parameters.parameter[{place}]", parameter.get("name", "")
        if name in known and known[name].type == "Resource":
            found.append((parameter.get("resource", {}), f"{path}.resource"))
        else:
            pairs.append((name, _value(name, parameter, known, path)))
    if len(found) != 1 or found[0][0].get("resourceType") != type:
        where = found[-1][1] if found else "Parameters.parameter"
        raise StructureInvalid(f"This operation is asked of one {type}; send it as resource.", path=where)
    _require_known([pair for pair in pairs if pair[0] not in HOW], known)
    return tuple(pairs), *found[0]


def _require_known(pairs: Iterable[tuple[str, str]], known: Mapping[str, Input]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name not in known or known[name].type == "Resource":
            raise not_offered(name)
        if name in seen:
            raise ValueInvalid(f"{name} is given once.", path=name)
        seen.add(name)


def both_methods(
    name: str,
    path: str,
    reads: Reads,
    description: str,
    operation: str,
    types: tuple[str, ...] = (),
    *,
    may_be_later: bool = False,
) -> tuple[Interaction, Interaction]:
    """An operation that reads, by GET, and by POST under the name with ``-post``."""
    of_get = Interaction(
        name,
        "GET",
        path,
        reads,
        Right.VIEW,
        Policy.DISCLOSES,
        description,
        operation=operation,
        types=types,
        may_be_later=may_be_later,
    )
    return of_get, replace(of_get, name=f"{name}-post", method="POST")


def _in_body(site: Site, request: Request, known: Mapping[str, Input]) -> Iterator[tuple[str, str]]:
    if not request.body:
        return
    if len(request.body) > site.limits.form:
        raise TooLong(f"The Parameters are over the limit of {site.limits.form} bytes; ask for less at once.")
    resource = request.resource if request.resource is not None else parse(request.body, site.limits.json)
    if resource.get("resourceType") != "Parameters":
        raise StructureInvalid("The body of this operation is Parameters.", path="Parameters")
    require_valid(resource)
    for place, parameter in enumerate(cast(list[dict[str, Any]], resource.get("parameter", []))):
        path = f"Parameters.parameter[{place}]"
        name = parameter.get("name")
        if name is None:  # extensions alone satisfy its definition
            raise StructureInvalid("A parameter of this operation has a name.", path=f"{path}.name")
        yield name, _value(name, parameter, known, path)


def _value(name: str, parameter: Mapping[str, Any], known: Mapping[str, Input], path: str) -> str:
    """The text of a primitive value, of the type that the operation takes."""
    members = [member for member in parameter if member.startswith("value")]
    value = parameter[members[0]] if members else None
    if not isinstance(value, str | int):
        raise StructureInvalid("A parameter of this operation has a primitive value.", path=path)
    of = known.get(name)
    wanted = f"value{of.type[0].upper()}{of.type[1:]}" if of else members[0]
    if members[0] != wanted:
        raise StructureInvalid(f"{name} of this operation has a {wanted}.", path=path)
    return str(value).lower() if isinstance(value, bool) else str(value)
