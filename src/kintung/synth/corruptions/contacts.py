"""What goes wrong with sexes, telephones and addresses."""

from kintung.synth.chance import Chance
from kintung.synth.corruptions.registered import Corrupt, registered_in
from kintung.synth.corruptions.slips import one_of
from kintung.synth.draft import Draft

CORRUPTIONS: dict[str, Corrupt] = {}
_corruption = registered_in(CORRUPTIONS)


@_corruption("sex-code")
def sex_code(draft: Draft, _chance: Chance) -> bool:
    draft.sex = "male" if draft.sex == "female" else "female"
    return True


@_corruption("family-phone")
def family_phone(draft: Draft, chance: Chance) -> bool:
    if not draft.person.relatives:
        return False
    telephone = one_of(draft.person.relatives, chance).telephone
    changed = telephone != draft.telephone
    draft.telephone = telephone
    return changed


@_corruption("phone-absent")
def phone_absent(draft: Draft, _chance: Chance) -> bool:
    draft.telephone = None
    return True


@_corruption("phone-changed")
def phone_changed(draft: Draft, _chance: Chance) -> bool:
    draft.telephone = draft.person.former_telephone
    return True


@_corruption("address-changed")
def address_changed(draft: Draft, _chance: Chance) -> bool:
    changed = draft.person.former_address != draft.address
    draft.address = draft.person.former_address
    return changed
