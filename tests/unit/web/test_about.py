"""What a node says of itself passes whole to its workers."""

import msgspec

from kintung.cli.serve import Served
from kintung.web.about import About, Demo, Invented, Trait


def test_what_is_served_says_what_it_is() -> None:
    people = (
        Invented(
            "p1",
            "陳大文",
            "CHAN, Tai Man",
            (Trait("allergy", 1, {"en": "Cashew nuts", "zh-Hant-HK": "腰果"}),),
        ),
    )
    served = Served("sqlite:///record.db", about=About("macao", demo=Demo(people)))
    assert msgspec.json.decode(msgspec.json.encode(served), type=Served) == served
