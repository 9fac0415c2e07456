"""How much is under way at once, and what has been answered so far."""

from kintung.errors import Throttled, Unavailable
from kintung.web.counts import Counts
from kintung.web.limits import Limits


class Traffic:
    """What one worker has under way. Used on the event loop only.

    ``counts`` are by name of the interaction ("" before one is found) and status.
    """

    def __init__(self, limits: Limits, counts: Counts) -> None:
        self._limits = limits
        self._counts = counts
        self.in_flight = 0
        self._of_client: dict[str, int] = {}

    def answered(self, name: str, status: int) -> None:
        """Count an answer."""
        self._counts.answered(name, status)

    def begin(self, client: str) -> None:
        """Take room for one request; to be followed by ``end``, unless it raises.

        Raises:
            Unavailable: the node has no room.
            Throttled: this client has no more of it.
        """
        if self.in_flight >= self._limits.in_flight:
            raise Unavailable("The node has as many requests as it can serve at once; try again later.")
        held = self._of_client.get(client, 0)
        if held >= self._limits.in_flight_each:
            raise Throttled("You have as many requests under way as one client may; wait for some to end.")
        self.in_flight += 1
        self._counts.in_flight(self.in_flight)
        self._of_client[client] = held + 1

    def end(self, client: str) -> None:
        """Give the room back."""
        self.in_flight -= 1
        self._counts.in_flight(self.in_flight)
        held = self._of_client.pop(client) - 1
        if held:
            self._of_client[client] = held

    def metrics(self) -> str:
        """The counts of all workers of the node in the text format of Prometheus."""
        workers, in_flight, answered = self._counts.gathered()
        lines = [
            "# HELP kintung_workers Workers that serve.",
            "# TYPE kintung_workers gauge",
            f"kintung_workers {workers}",
            "# HELP kintung_requests_in_flight Requests being served, by all workers.",
            "# TYPE kintung_requests_in_flight gauge",
            f"kintung_requests_in_flight {in_flight}",
            "# HELP kintung_requests_total Requests answered by all workers, by interaction and status.",
            "# TYPE kintung_requests_total counter",
        ]
        lines += [
            f'kintung_requests_total{{interaction="{name}",status="{status}"}} {count}'
            for (name, status), count in sorted(answered.items())
        ]
        return "\n".join(lines) + "\n"
