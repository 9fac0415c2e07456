"""Failures nobody foresaw: logged without what they are about, answered with where the log has them."""

import logging
import traceback

from kintung.errors import KintungError
from kintung.web.site import Site

_log = logging.getLogger("kintung.web")


def logged(site: Site, error: Exception) -> KintungError:
    """Log a failure and give what its caller is told; the message may hold data and is in neither."""
    reference = site.entropy.new_id()[:8]
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    _log.error("request failed, reference %s: %s at %s", reference, type(error).__name__, where)
    return KintungError(f"The node failed to answer; the log has it under {reference}.")
