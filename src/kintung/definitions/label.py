"""What a definition is called, for people."""

import msgspec


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zh_hk": "zh-HK"}):
    en: str
    zh_hk: str


class Wording(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zh_hk": "zh-HK", "zh_cn": "zh-CN"}
):
    """The same in the three languages of the pages."""

    en: str
    zh_hk: str
    zh_cn: str
