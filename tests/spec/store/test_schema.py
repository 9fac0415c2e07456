"""A database is opened only by who understands what is in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kintung.app import Settings, open_node
from kintung.errors import Unavailable
from kintung.store.sql.database import Database
from kintung.store.sql.migrations import Migration, prepare_schema
from kintung.store.sql.schema import FINGERPRINT
from kintung.store.sql.store import SqlStore
from tests.postgres_cluster import Cluster
from tests.stores import SYSTEM


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/record.db"
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        yield cluster.fresh_database()


def change(url: str, keys: Path, statement: str) -> None:
    with open_node(url, keys=keys) as node:
        assert isinstance(node.store, SqlStore)
        with node.store.maintenance(SYSTEM) as db:
            db.run(statement)


def test_another_schema_is_refused(url: str, tmp_path: Path) -> None:
    change(url, tmp_path / "keys", "UPDATE node SET value = 'of the future' WHERE name = 'schema'")

    with (
        pytest.raises(Unavailable, match="a schema this version does not know"),
        open_node(url, keys=tmp_path / "keys"),
    ):
        pass


def test_a_record_keeps_the_zone_its_dates_were_read_in(url: str, tmp_path: Path) -> None:
    with open_node(url, keys=tmp_path / "keys"):
        pass

    elsewhere = Settings(offset_minutes=0)
    with (
        pytest.raises(Unavailable, match="offset_minutes"),
        open_node(url, keys=tmp_path / "keys", settings=elsewhere),
    ):
        pass


@pytest.mark.parametrize("rests_on", ["search", "names", "likeness", "identifiers"])
def test_an_index_of_other_definitions_is_refused(rests_on: str, url: str, tmp_path: Path) -> None:
    """Of other search parameters, tables of names, keys, or systems whose values are only hashed."""
    change(url, tmp_path / "keys", f"UPDATE node SET value = 'others' WHERE name = '{rests_on}'")

    with pytest.raises(Unavailable, match=f"{rests_on} others"), open_node(url, keys=tmp_path / "keys"):
        pass


def test_migrations_lead_from_an_old_schema_to_the_present_one(url: str, tmp_path: Path) -> None:
    """An upgrade that is broken off goes on where it stopped."""
    change(url, tmp_path / "keys", "UPDATE node SET value = 'first' WHERE name = 'schema'")
    attempts: list[str] = []

    def step(name: str, *, fails: bool = False) -> Callable[[Database], None]:
        def run(db: Database) -> None:
            attempts.append(name)
            db.run("UPDATE node SET value = ? WHERE name = 'schema_version'", (name,))
            if fails:
                raise OSError("the power went")

        return run

    keys = tmp_path / "keys"
    broken = (
        Migration("first", "second", step("one")),
        Migration("second", FINGERPRINT, step("two", fails=True)),
    )
    with pytest.raises(OSError, match="power"):
        _prepare(url, keys, broken)
    whole = (broken[0], Migration("second", FINGERPRINT, step("two")))
    _prepare(url, keys, whole)

    assert attempts == ["one", "two", "two"]
    with open_node(url, keys=keys):
        pass


def _prepare(url: str, keys: Path, migrations: tuple[Migration, ...]) -> None:
    """Bring the database forward on a connection of its own, as opening it does."""
    from kintung.store.postgres import PostgresDatabase  # noqa: PLC0415
    from kintung.store.sqlite import SqliteDatabase  # noqa: PLC0415

    if url.startswith("sqlite"):
        import apsw  # noqa: PLC0415

        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        try:
            prepare_schema(SqliteDatabase(connection), {}, migrations)
        finally:
            connection.close()
    else:
        import psycopg  # noqa: PLC0415

        with psycopg.connect(url, autocommit=True) as connection:
            prepare_schema(PostgresDatabase(connection), {}, migrations)
