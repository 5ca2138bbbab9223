"""Data of sizes at which something may give way: labels, rows, texts, and the least length."""

import resource
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image
from transformers import pipeline

from tests.helpers import tiny_run
from tests.torture.trials import Command, Trial

LABELS, ROWS, CHARACTERS = 5_000, 200_000, 5_000_000
# matplotlib draws no image of more pixels in a direction.
MOST_PIXELS = 65_536
# In MB, beyond what a training of 400 rows takes. The rows themselves are mapped into memory; what grows with them are
# their labels, their lengths and the order in which they are drawn.
MOST_MEMORY = 400
BERT: dict[str, Any] = {"recipe": ["bert"], "emotion_label_columns": None, "sentiment_dataset": None, "max_steps": 3}


def trials(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    """Try sizes one after the other; there are no more of them than there are.

    Args:
        folder (`Path`): Where to work.
        seed (`int`): Seed of the texts.
        count (`int`): How many to try.
    """
    place = tiny_run.workplace(folder / "place")
    for name, run in islice(_sizes(place, folder, seed).items(), count):
        command = Command(run, folder / f"{name.replace(' ', '-')}.log").start()
        ended = command.wait(1800)
        command.kill()
        lost = None if command.code == 0 else command.output.strip()[-300:] or f"exit code {command.code}"
        yield Trial("sizes", name, lost if ended else "it did not end")


def _sizes(place: Path, folder: Path, seed: int) -> dict[str, Callable[[], None]]:
    return {
        "thousands of labels, one per text": partial(_labels, place, folder / "single", 1),
        "thousands of labels, two per text": partial(_labels, place, folder / "multi", 2),
        "hundreds of thousands of rows": partial(_rows, place, folder / "rows", seed),
        "a text of megabytes": partial(_long_text, place, folder / "long", seed),
        "the least length": partial(_least_length, place, folder / "least"),
    }


def _train(place: Path, out: Path, data: Path, **changes: Any) -> None:
    tiny_run.example("run_csr").main(tiny_run.options(place, out, emotion_dataset=data, **BERT | changes))


def _labels(place: Path, folder: Path, per_text: int) -> None:
    for split, size in (("train", LABELS), ("dev", 200)):
        rows = [
            {"text": f"text {number}", "labels": [f"label {(number + other) % LABELS}" for other in range(per_text)]}
            for number in range(size)
        ]
        named = [{"text": row["text"], "label": row["labels"][0]} for row in rows] if per_text == 1 else rows
        tiny_run.write_jsonl(folder / f"{split}.jsonl", named)
    _train(place, folder / "out", folder)
    stage = folder / "out" / "emotion-encoder"
    expect(len(tiny_run.read_json(stage / "config.json")["id2label"]) == LABELS, "labels are missing")
    Image.MAX_IMAGE_PIXELS = None
    for path in stage.glob("*.png"):
        with Image.open(path) as image:
            expect(max(image.size) < MOST_PIXELS, f"{path.name} has {image.size} pixels")
    expect((stage / "README.md").stat().st_size < 5_000_000, "the card has more than 5 MB")


def _rows(place: Path, folder: Path, seed: int) -> None:
    used = []
    for size in (400, ROWS):
        data = folder / str(size)
        tiny_run.write_jsonl(data / "train.jsonl", tiny_run.label_rows(tiny_run.EMOTIONS, size, seed))
        tiny_run.write_jsonl(data / "dev.jsonl", tiny_run.label_rows(tiny_run.EMOTIONS, 20, seed + 1))
        command = Command(partial(_train, place, folder / f"out-{size}", data), folder / f"{size}.log").start()
        command.wait()
        expect(command.code == 0, command.output[-300:])
        # In kB; of the largest child so far, so that the larger one comes last.
        used.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)
    print(f"{ROWS} rows take {used[1] - used[0]:.0f} MB more than 400", flush=True)
    expect(used[1] - used[0] <= MOST_MEMORY, f"{ROWS} rows take {used[1] - used[0]:.0f} MB more than 400")


def _long_text(place: Path, folder: Path, seed: int) -> None:
    rows = tiny_run.label_rows(tiny_run.EMOTIONS, 20, seed)
    text = " ".join(row["text"] for row in rows)
    rows[3]["text"] = text * (CHARACTERS // len(text) + 1)
    for split in ("train", "dev"):
        tiny_run.write_jsonl(folder / "data" / f"{split}.jsonl", rows)
    _train(place, folder / "out", folder / "data", max_steps=10)
    model = str(folder / "out" / "emotion-encoder")
    classifier = pipeline("emotion-classification", model=model, trust_remote_code=True, device="cpu")
    whole, cut = (classifier(rows[3]["text"], top_k=None, **how) for how in ({}, {"truncation": True}))
    first = classifier(text, top_k=None, truncation=True)
    scores = [{entry["label"]: entry["score"] for entry in result} for result in (whole, cut, first)]
    expect(all(len(found) == len(tiny_run.EMOTIONS) for found in scores), "labels are missing")
    farthest = max(abs(scores[1][label] - scores[2][label]) for label in scores[2])
    expect(farthest < 1e-6, f"cut, it has scores that differ by {farthest:.2g} from those of its beginning")


def _least_length(place: Path, folder: Path) -> None:
    data = place / "data" / "moods"
    _train(place, folder / "out", data, max_length=3)
    command = Command(partial(_train, place, folder / "less", data, max_length=2), folder.with_suffix(".log")).start()
    command.wait()
    expect(command.code == 1, f"a length of 2 ends with exit code {command.code}")
    expect(command.complaint() is None and "max_length must be at least 3" in command.output, command.output[-300:])
    expect(not (folder / "less").exists(), "a length of 2 leaves a folder behind")


def expect(fulfilled: bool, otherwise: str) -> None:
    """End the trial's process with a message unless a condition holds."""
    if not fulfilled:
        print(f"error: {otherwise}", file=sys.stderr, flush=True)
        raise SystemExit(1)
