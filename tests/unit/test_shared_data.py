"""A test whose data is absent says so, by name."""

import pytest

from tests.shared_data import SHARED_DATA, shared


def test_absent_data_is_skipped_by_name() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"\.\./shared/data/no-such-folder/x\.json"):
        shared("no-such-folder/x.json")


def test_present_data_is_a_path_beside_the_repository() -> None:
    assert shared("synthea-r4-100") == SHARED_DATA / "synthea-r4-100"
