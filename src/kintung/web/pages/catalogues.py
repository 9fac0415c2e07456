"""The message catalogues of ``catalogues/``, one gettext file for each language.

English is written where it is used and is the key of a message. A test holds that every message is in every
catalogue and that no catalogue has another. Terms are those of ``docs/glossary.md``.
"""

from functools import cache
from importlib.resources import files

from babel.messages.pofile import read_po
from babel.support import NullTranslations

from kintung.web.pages.language import Language

FOLDER = files("kintung.web.pages") / "catalogues"


class Messages(NullTranslations):
    """What one language says for each English message."""

    def __init__(self, language: Language) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._said: dict[str, str] = {}
        if language is not Language.ENGLISH:
            with (FOLDER / f"{language}.po").open("rb") as file:
                for message in read_po(file, locale=language.locale):
                    if isinstance(message.id, str) and isinstance(message.string, str):
                        self._said[message.id] = message.string

    def gettext(self, message: str) -> str:
        return self._said.get(message) or message

    ugettext = gettext

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Chinese has one form; a message with a number has two keys only in English."""
        if msgid1 in self._said or msgid2 in self._said:
            return self.gettext(msgid2)
        return msgid1 if n == 1 else msgid2


@cache
def messages(language: Language) -> Messages:
    """The catalogue of a language, read once."""
    return Messages(language)


def N_(message: str) -> str:
    """Mark an English message that is translated where it is shown."""
    return message
