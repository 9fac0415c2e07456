"""Processes that serve or prepare: how long they live, and what lives as long as they do."""

import gc
import os
import signal
import threading
from multiprocessing import parent_process

_AGAIN_SECONDS = 0.5


def end_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """Have this process stop, as by a signal, when the process that started it is gone.

    It may have been killed in a way that let it tell nobody; then what it started would wait
    for work for ever, or keep a port.
    """
    parent = parent_process()
    assert parent is not None, "called in a process of its own"

    def watch() -> None:
        parent.join()
        while True:  # one that comes while the process is still starting is passed over
            os.kill(os.getpid(), by)
            threading.Event().wait(_AGAIN_SECONDS)

    threading.Thread(target=watch, name="kintung-parent", daemon=True).start()


def keep_what_is_loaded() -> None:
    """Keep the garbage collector from what is loaded by now and lives as long as the process.

    Walking it again and again took a tenth of the time of a read.
    """
    gc.collect()
    gc.freeze()
