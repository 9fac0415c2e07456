"""Train the Zstandard dictionary that bodies are compressed with.

    python scripts/train_body_dictionary.py ../shared/data/fhir-r4-examples/examples.ndjson.gz

Learns from the official R4 examples (CC0). A dictionary that has sealed a body is never
changed: a better one gets a new number and a new format byte (``kintung.store.sealing``).
"""

import gzip
import sys
from collections.abc import ByteString
from pathlib import Path

import zstandard

TARGET = Path(__file__).parent.parent / "src/kintung/store/data/bodies-1.dict"
SIZE = 48 * 1024
PIECE = 4096


def main() -> None:
    with gzip.open(sys.argv[1]) as lines:
        texts = [line.strip() for line in lines]
    pieces: list[ByteString] = [
        text[at : at + PIECE] for text in texts for at in range(0, min(len(text), 8 * PIECE), PIECE)
    ]
    dictionary = zstandard.train_dictionary(
        SIZE, pieces, dict_id=1, level=3, split_point=1.0, d=8, k=512, steps=1
    )
    TARGET.write_bytes(dictionary.as_bytes())
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes from {len(texts)} examples")


if __name__ == "__main__":
    main()
