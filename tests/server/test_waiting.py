"""Who waits for a disk keeps no other waiting."""

import asyncio
from contextlib import closing
from pathlib import Path

import apsw

from tests.records import observation, patient
from tests.server.api import BASE, api


def test_a_new_person_waits_for_a_key_and_nobody_else_does(tmp_path: Path) -> None:
    """Another process is in the middle of a write to the key store."""
    file = tmp_path / "record.db"
    with api(f"sqlite:///{file}") as node, closing(apsw.Connection(f"{file}.keys")) as keys:
        node.store(patient("known"))

        async def both() -> None:
            client = node._client
            keys.execute("BEGIN IMMEDIATE")
            new = asyncio.ensure_future(client.put(f"{BASE}/Patient/new", json=patient("new")))
            reading = await client.get(f"{BASE}/Patient/known")
            written = await client.put(f"{BASE}/Observation/o", json=observation("o", "known"))
            assert (reading.status_code, written.status_code) == (200, 201)
            assert not new.done()
            keys.execute("ROLLBACK")
            assert (await new).status_code == 201

        node._runner.run(both())
