"""Scoring of files of any size into a folder, which a killed command leaves so that the next one goes on."""

import csv
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import pyarrow as pa
from tqdm.auto import tqdm

from ..data import Source, digest, text_sources
from .score_folder import BAD_ROWS_NAME, ScoreFolder, ScoreFolderError
from .scorer import Scorer
from .text_rows import BadRow, TextRow, read_rows
from .workers import ENGINES, Engine, Part, local_engine, ray_engine

ROWS_PER_FILE = 4096
_INT64 = 2**63
# Hashes of ids that are compared at once.
_COMPARED = 4_000_000


def score_files(
    name: str,
    output_dir: str | os.PathLike,
    *,
    model: str,
    split: str | None = None,
    text_column: str | None = None,
    id_column: str | None = None,
    rows_per_file: int = ROWS_PER_FILE,
    engine: str = "local",
    processes: int | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Score the texts of files or of a dataset into a folder of Parquet files.

    The rows are read once to find those that cannot be scored, and then scored, so many at a time; a file of scores is
    there whole or not at all. The same call goes on after one that was killed, whoever does the work in it.

    Args:
        name (`str`): As in [`~trainers.data.text_sources.text_sources`].
        output_dir (`str` or `PathLike`): Folder of the scores.
        model (`str`): Folder or Hub id of the classifier.
        split (`str`, *optional*): The split to read of a dataset; by default all.
        text_column, id_column (`str`, *optional*): As in [`~trainers.serving.text_rows.read_rows`].
        rows_per_file (`int`, defaults to 4096): Rows of a file of scores, which are in memory together.
        engine (`str`, defaults to `"local"`): `"local"`, or `"ray"` for a cluster.
        processes, threads (`int`, *optional*): Processes (actors), and threads of each.
        overwrite (`bool`, defaults to `False`): Whether to delete other scores in the folder.
        **options: Further arguments of [`Scorer`].

    Returns:
        `dict`: The `output_dir`, the number of `rows` that are scored, how many of them were scored `before`, how many
        rows are bad (`bad_rows`) and how many have the id of another one (`repeated_ids`).

    Raises:
        ScoreFolderError: If the folder holds anything else, or scores of another model, of other rows or options.
        OSError, ValueError: If the input cannot be read, or the model is no classifier.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}.")
    folder = ScoreFolder(Path(output_dir))
    folder.check()
    sources = text_sources(name, split)
    if engine == "ray":
        options["device"] = None
    scorer = Scorer(model, **options)
    chosen = {"model": model, **options}
    made_from: dict[str, Any] = {
        "model": model,
        "model_commit": scorer.commit,
        "model_digest": scorer.digest(),
        "input": [source.name for source in sources],
        "input_digest": digest([source.digest() for source in sources]),
        "text_column": text_column or "text",
        "id_column": id_column,
        "rows_per_file": rows_per_file,
        **{option: options.get(option) for option in ("threshold", "vectors", "batch_size")},
        "dtype": options.get("dtype", "float32"),
        # Scores that were written before there were these options have nothing in their place.
        "calibrated": options.get("calibrated") or None,
        "min_confidence": options.get("min_confidence"),
    }
    with folder.locked():
        if overwrite:
            folder.clear()
        folder.clear_unfinished()
        found = folder.manifest()
        _check_same(folder.path, found, made_from)
        if found is None:
            found = made_from | _survey(sources, folder.path / BAD_ROWS_NAME, text_column, id_column)
            folder.write_manifest(found)
        rows, number_ids = int(found["rows"]), bool(found["whole_number_ids"])
        parts = [(start, min(start + rows_per_file, rows)) for start in range(0, rows, rows_per_file)]
        done = {start: end for start, end in parts if folder.has_part(start, end)}
        before = sum(end - start for start, end in done.items())
        if before < rows:
            work: Engine
            # A second process takes longer to begin than one takes for a file.
            if processes is None and len(parts) - len(done) == 1:
                processes = 1
            if engine == "ray":
                work = ray_engine(chosen, processes, threads)
            else:
                work = local_engine(scorer, chosen, processes, threads)
            left = _parts(sources, text_column, id_column, rows_per_file, done)
            with tqdm(total=rows, initial=before, unit="text", desc="Scoring", smoothing=0.05) as progress:
                for part, scores in work(left):
                    folder.write_part(part.start, _with_ids(part, scores, number_ids, id_column is None))
                    progress.update(len(part.texts))
    return {"output_dir": str(folder.path), "rows": rows, "before": before} | {
        key: found[key] for key in ("bad_rows", "repeated_ids")
    }


def _check_same(path: Path, found: Mapping[str, Any] | None, made_from: Mapping[str, Any]) -> None:
    if found is None:
        return
    # Where a model or a file lies may change as long as what is in it does not.
    changed = [key for key, value in made_from.items() if key not in ("model", "input") and found.get(key) != value]
    if changed:
        shown = ", ".join(f"{key} {found.get(key)!r} there, {made_from[key]!r} now" for key in changed)
        raise ScoreFolderError(
            f"{path} has scores of something else: {shown}. Repeat the command that wrote them, name a new folder, or "
            "delete them with --overwrite."
        )


def _survey(sources: Iterable[Source], path: Path, text_column: str | None, id_column: str | None) -> dict[str, Any]:
    """Read all rows once, list those that are bad, and count."""
    rows, bad, whole = 0, 0, True
    unfinished = path.with_name(f"{path.name}.unfinished")
    with (
        unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        TemporaryFile() as hashes,
        tqdm(unit="row", desc="Reading", delay=1) as progress,
    ):
        writer = csv.writer(file)
        writer.writerow(["file", "row", "id", "reason"])
        for row in read_rows(sources, text_column, id_column):
            progress.update()
            if isinstance(row, BadRow):
                bad += 1
                writer.writerow([row.source, row.place, row.id, row.reason])
                continue
            rows += 1
            whole = whole and type(row.id) is int and -_INT64 <= row.id < _INT64
            if id_column is not None:
                hashes.write((hash(str(row.id)) % 2**64).to_bytes(8, "little"))
        repeated = _repeated(hashes, rows) if id_column is not None else 0
        file.flush()
        os.fsync(file.fileno())
    if not rows:
        raise ValueError(f"There is no text to score: all {bad} rows are bad, for the reasons in {unfinished}.")
    unfinished.replace(path)
    return {"rows": rows, "bad_rows": bad, "repeated_ids": repeated, "whole_number_ids": whole}


def _repeated(hashes: Any, rows: int) -> int:
    """How many of the hashes in a file have been there before; so many at a time that memory is bounded."""
    distinct, passes = 0, -(-rows // _COMPARED)
    for number in range(passes):
        hashes.seek(0)
        found = []
        while block := hashes.read(8 * _COMPARED):
            values = np.frombuffer(block, dtype=np.uint64)
            found.append(values[values % np.uint64(passes) == number])
        distinct += len(np.unique(np.concatenate(found)))
    return rows - distinct


def _parts(
    sources: Iterable[Source],
    text_column: str | None,
    id_column: str | None,
    size: int,
    done: Mapping[int, int],
) -> Iterator[Part]:
    """The parts that are not there yet, as they are read."""
    start, rows = 0, list[TextRow]()
    count = 0
    for row in read_rows(sources, text_column, id_column):
        if isinstance(row, BadRow):
            continue
        if start not in done:
            rows.append(row)
        count += 1
        if count == size:
            if rows:
                yield _part(start, rows)
            start, rows, count = start + size, [], 0
    if rows:
        yield _part(start, rows)


def _part(start: int, rows: list[TextRow]) -> Part:
    places = [f"{row.source}, {row.place}" for row in rows]
    return Part(start, [row.id for row in rows], places, [row.text for row in rows])


def _with_ids(part: Part, scores: pa.Table, whole_numbers: bool, numbered: bool) -> pa.Table:
    ids = pa.array(part.ids if whole_numbers else map(str, part.ids), pa.int64() if whole_numbers else pa.string())
    if numbered:
        scores = scores.add_column(0, "place", pa.array(part.places))
    return scores.add_column(0, "id", ids)


def print_summary(result: Mapping[str, Any], started: float) -> None:
    """Say what has been done. `started` is the time of `time.monotonic()` at the beginning."""
    folder, seconds = result["output_dir"], time.monotonic() - started
    new = result["rows"] - result["before"]
    print(f"{folder} has the scores of {result['rows']:,} texts; {new:,} of them were scored in {seconds:,.0f} s.")
    if result["bad_rows"]:
        print(f"{result['bad_rows']:,} rows could not be scored; {folder}/{BAD_ROWS_NAME} says why.")
    if result["repeated_ids"]:
        print(f"{result['repeated_ids']:,} rows have the id of another row; all of them are scored.")


__all__ = ["ROWS_PER_FILE", "print_summary", "score_files"]
