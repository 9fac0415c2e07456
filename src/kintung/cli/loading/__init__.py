"""Loading files into a node: read, prepared by several processes, committed in order by one."""

from kintung.cli.loading.loader import Loader
from kintung.cli.loading.sources import files_of, items
from kintung.cli.loading.tally import Tally

__all__ = ["Loader", "Tally", "files_of", "items"]
