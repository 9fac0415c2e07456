"""What every test may use: the seed, the size of the run, PostgreSQL, and an honest summary."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import scale
from tests.postgres_cluster import Cluster
from tests.shared_data import ABSENT

# No example database: a run is decided by its seed alone, and a failure prints a blob that replays it.
settings.register_profile(
    "kintung",
    database=None,
    derandomize=False,  # Hypothesis sets this where it meets CI, and then no seed counts
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the full counts (make test-long)")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Settle the seed before Hypothesis reads its options and before test modules are imported."""
    scale.settle(bool(config.getoption("--long")))
    settings.load_profile("kintung")
    if config.getoption("hypothesis_seed") is None:
        config.option.hypothesis_seed = str(scale.seed())


def pytest_sessionstart(session: pytest.Session) -> None:
    """Print the seed first, also under ``-q`` which drops pytest's own header."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(session.config, "workerinput"):
        reporter.write_line(_seed_line())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every reason for a skip with its count, and the seed once more."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    absent = sorted(reason for reason in reasons if reason.startswith(ABSENT))
    if reasons:
        terminalreporter.section(f"skipped: {reasons.total()}")
    for reason in absent:
        terminalreporter.write_line(f"{reasons.pop(reason):5}  {reason}")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count:5}  {reason}")
    if absent:
        terminalreporter.write_line(
            f"absent from ../shared: {len(absent)}; put shared/ beside the repository"
        )
    terminalreporter.write_line(_seed_line())


def _seed_line() -> str:
    size = "full" if scale.is_long() else "normal"
    return f"seed {scale.seed()}, {size} counts (replay: KINTUNG_SEED={scale.seed()})"


def _reason(report: pytest.TestReport) -> str:
    """Return why a test was skipped or is expected to fail."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL cluster that all tests of this process share; take ``fresh_database()`` from it."""
    with Cluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres: Cluster) -> str:
    """The URL of a new, empty database."""
    return postgres.fresh_database()


@pytest.fixture
def own_postgres() -> Iterator[Cluster]:
    """A PostgreSQL cluster of this test's own, which it may kill."""
    with Cluster() as cluster:
        yield cluster
