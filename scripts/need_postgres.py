"""See to it that the tests find PostgreSQL: ``make postgres``.

Nothing happens when it is there. Root on a machine with apt-get has it installed;
anyone else is told in one line what to do.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.postgres_cluster import HOW_TO_INSTALL, binaries

INSTALL = (
    "apt-get update -qq && "
    "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql"
)


def main() -> None:
    """Exit 0 with PostgreSQL in place, or 1 with one line on what to do."""
    if binaries() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("make: installing PostgreSQL", file=sys.stderr)
        subprocess.run(INSTALL, shell=True, check=False, stdout=subprocess.DEVNULL)
        binaries.cache_clear()
    if binaries() is None:
        sys.exit(f"make: {HOW_TO_INSTALL}")


if __name__ == "__main__":
    main()
