"""Fonts: the shapes of a region first, others for what it lacks."""

from pathlib import Path
from shutil import copyfile

from kintung.documents.fonts import FAMILIES, chosen, faces, family


def test_the_fonts_of_each_region_are_there() -> None:
    """Debian's fonts-noto-cjk has both; ``make test`` installs it."""
    assert family("hong-kong") == FAMILIES["hong-kong"][0]
    assert family("mainland") == FAMILIES["mainland"][0]


def test_no_font_is_of_both_regions() -> None:
    assert not set(FAMILIES["hong-kong"]).intersection(FAMILIES["mainland"])


def test_what_the_font_has_is_set_in_it_alone() -> None:
    """𠮷, 𨋢 and 㗎 too; characters of the mainland in Hong Kong's shapes, and the other way."""
    for script in FAMILIES:
        found = chosen("陳大文陈大文𠮷𨋢㗎 ABC ≥–·✓", script)
        assert found.families == (family(script),)
        assert found.lacking == frozenset()
        assert all(Path(folder).is_dir() for folder in found.folders)


def test_what_no_font_has_is_said() -> None:
    assert chosen("陳\ue123", "hong-kong").lacking == {"\ue123"}


def test_alone_it_takes_no_other() -> None:
    everything = [chr(code) for code in range(0x0600, 0x0650)]
    assert chosen(everything, "hong-kong", is_alone=True).families == (family("hong-kong"),)


def test_a_folder_of_the_operator_is_looked_in_too(tmp_path: Path) -> None:
    file = Path(next(face.path for face in faces() if face.family == family("mainland")))
    copyfile(file, tmp_path / "own.ttc")
    added = set(faces(str(tmp_path))) - set(faces())
    assert {Path(face.path).parent for face in added} == {tmp_path}
    assert family("mainland") in {face.family for face in added}
    assert str(tmp_path) in chosen("陈", "mainland", str(tmp_path)).folders


def test_a_folder_without_fonts_adds_none(tmp_path: Path) -> None:
    assert faces(str(tmp_path)) == faces()
    assert faces(str(tmp_path / "none")) == faces()
