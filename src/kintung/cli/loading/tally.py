"""What became of the items that were loaded."""

import re
import traceback
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kintung.cli.loading.sources import Item
from kintung.errors import Issue, KintungError, TimedOut, Unavailable
from kintung.store.writes import Receipt
from kintung.web.fhir.answer import Answer

MOST_REASONS = 1_000
"""Reasons told apart; a file of another kind may be wrong in a new way on each line."""
_PLACE = re.compile(r"(?<=\[)[0-9]+(?=\])|(?<=\bline )[0-9]+|(?<=\bcolumn )[0-9]+")
"""The same fault at another place is not another reason."""


@dataclass(slots=True)
class Tally:
    """What became of the items so far.

    Attributes:
        replayed: items that were loaded before.
        refused: how often, by reason; an item, or an entry of a batch.
        first_refused: file, line and path of the first of each reason.
    """

    items: int = 0
    resources: int = 0
    replayed: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    first_refused: dict[str, str] = field(default_factory=dict[str, str])

    def took(self, receipt: Receipt) -> None:
        self.items += 1
        self.resources += sum(1 for done in receipt.done if 200 <= done.status < 300)
        self.replayed += receipt.replayed

    def refuse(self, item: Item, error: KintungError) -> None:
        self.items += 1
        self._count(item, error.issues[0])

    def took_batch(self, item: Item, answers: Iterable[Answer]) -> None:
        """Count the entries of a batch, each done or refused for itself."""
        self.items += 1
        for answer in answers:
            if answer.refused is not None:
                self._count(item, answer.refused)
            else:
                self.resources += 200 <= answer.status < 300

    @contextmanager
    def counting(self, item: Item) -> Generator[None]:
        """Count an item that is refused; let pass that the record cannot be written."""
        try:
            yield
        except KintungError as error:
            if isinstance(error, Unavailable) and not isinstance(error, TimedOut):
                raise
            self.refuse(item, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours with one item does not stop the rest
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name} line {where.lineno}"
            message = f"Unexpected {type(error).__name__} in {place}; please report it."
            self.refuse(item, KintungError(message))

    def _count(self, item: Item, issue: Issue) -> None:
        """Count a refusal by its reason, and remember where the first of each was."""
        reason = _PLACE.sub("n", f"{issue.code}: {issue.message}")
        if reason not in self.refused and len(self.refused) >= MOST_REASONS:
            reason = "other reasons"
        self.refused[reason] += 1
        self.first_refused.setdefault(reason, f"{item.file} line {item.place}, {issue.path or 'whole'}")
