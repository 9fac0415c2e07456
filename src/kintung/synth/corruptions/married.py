"""Names of married women: the husband's surname before or after their own."""

from kintung.synth.chance import Chance
from kintung.synth.corruptions.registered import Corrupt, registered_in
from kintung.synth.draft import Draft

CORRUPTIONS: dict[str, Corrupt] = {}
_corruption = registered_in(CORRUPTIONS)


@_corruption("married-prefix")
def married_prefix(draft: Draft, _chance: Chance) -> bool:
    return _with_husband(draft, first=True)


@_corruption("married-suffix")
def married_suffix(draft: Draft, _chance: Chance) -> bool:
    return _with_husband(draft, first=False)


def _with_husband(draft: Draft, *, first: bool) -> bool:
    """Put the husband's surname beside a woman's own, in each script on record; once.

    A mainland record follows the travel document, which has her own name.
    """
    person, husband = draft.person, draft.person.husband
    if husband is None or draft.system.country == "CN" or not person.region.startswith("hong-kong"):
        return False
    if draft.surname != person.latin.surname:
        return False  # it stands there by now
    han, latin = husband
    if draft.han and han:
        draft.han = draft.han._replace(surname=_beside(han.surname, draft.han.surname, "", first))
        draft.telegraph = ()
    draft.surname = _beside(latin.surname, draft.surname, " ", first)
    return True


def _beside(husband: str, own: str, between: str, first: bool) -> str:
    return f"{husband}{between}{own}" if first else f"{own}{between}{husband}"
