"""See to it that the tests find Chromium, Chinese fonts and axe-core: ``make browser``.

Nothing happens when they are there. Root on a machine with apt-get has the first two installed;
anyone else is told in one line what to do. Without axe-core, which npm brings, its tests are skipped,
counted and named at the end of the run.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.chromium import HOW_TO_INSTALL, is_ready
from tests.javascript import BROWSER, are_installed, install, packages

INSTALL = (
    "apt-get update -qq && "
    "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends"
    " chromium fontconfig fonts-noto-cjk"
)


def main() -> None:
    """Exit 0 with both in place, or 1 with one line on what to do."""
    if not is_ready() and os.geteuid() == 0 and shutil.which("apt-get"):
        print("make: installing Chromium and fonts", file=sys.stderr)
        subprocess.run(INSTALL, shell=True, check=False, stdout=subprocess.DEVNULL)
    if not is_ready():
        sys.exit(f"make: {HOW_TO_INSTALL}")
    if not are_installed(BROWSER):
        print(f"make: installing {', '.join(packages(BROWSER))}", file=sys.stderr)
        try:
            install(BROWSER)
        except RuntimeError as error:
            print(f"make: pages are not checked by axe-core ({error})", file=sys.stderr)


if __name__ == "__main__":
    main()
