"""The clock of the rows that run in this process and wait for nothing.

On an idle machine the time that passes is what counts. On a busy one (``--busy``) it is the
processor time of the thread: others take turns with it, and their turns are not ours.
"""

import time


class Watch:
    """Seconds since some moment."""

    def __init__(self) -> None:
        self.is_busy = False

    def now(self) -> float:
        return time.thread_time() if self.is_busy else time.perf_counter()


WATCH = Watch()
