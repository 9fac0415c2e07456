"""Processes that others start: they must not outlive who started them."""

import os
import signal
import threading
from multiprocessing import parent_process


def end_with_parent() -> None:
    """Have this process stop, as by SIGTERM, when the process that started it is gone.

    It may have been killed in a way that let it tell nobody; then what it started would wait
    for work for ever, or keep a port.
    """
    parent = parent_process()
    assert parent is not None, "called in a process of its own"

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="kintung-parent", daemon=True).start()
