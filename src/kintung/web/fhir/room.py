"""How large the answer to one Bundle may be, and what becomes of an entry that no longer fits.

All answers of a Bundle are held until the last is known, so that many large ones could fill
the memory. What was stored is stored: of a write only the resource is left out.
"""

from kintung.errors import KintungError, TooLong
from kintung.web.fhir.answer import Answer, refusal


class Room:
    """What is left of the bytes the answers to one Bundle may have."""

    def __init__(self, size: int) -> None:
        self._left = size

    def keep(self) -> None:
        """Go on reading.

        Raises:
            TooLong: an answer did not fit already.
        """
        if self._left <= 0:
            raise _full()

    def read(self, answer: Answer) -> Answer:
        """The answer to a read.

        Raises:
            TooLong: it does not fit, and then no other read is answered.
        """
        if len(answer.body) > self._left:
            self._left = 0
            raise _full()
        self._left -= len(answer.body)
        return answer

    def written(self, answer: Answer) -> Answer:
        """The answer to a write, without the resource where it does not fit."""
        if len(answer.body) > self._left:
            return answer._replace(body=b"", patient_keys=())
        self._left -= len(answer.body)
        return answer

    def refused(self, error: KintungError) -> Answer:
        """A refusal, with the first of its issues alone where not all fit."""
        answer = refusal(error)
        if len(answer.body) > self._left:
            error.issues = error.issues[:1]
            answer = refusal(error)
        self._left -= min(len(answer.body), self._left)
        return answer


def _full() -> TooLong:
    return TooLong("The answers to this Bundle are as large as they may be; send this entry in another.")
