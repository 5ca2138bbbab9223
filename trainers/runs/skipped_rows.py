"""The file that lists the rows of a run's data that are left out."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from ..data import TaskDataset

logger = logging.getLogger(__name__)

SKIPPED_ROWS_NAME = "skipped_rows.jsonl"


def write_skipped_rows(output_dir: Path, tasks: Mapping[str, TaskDataset]) -> None:
    """List the rows that are left out in `skipped_rows.jsonl`, if there are any.

    Args:
        output_dir (`Path`): The run's folder.
        tasks (`Mapping[str, TaskDataset]`): Data by task. Each row is listed with its `task`, `file`, `line` (or `row`,
            where the data have no lines) and `reason`.
    """
    skipped = [{"task": task, **row} for task, data in tasks.items() for row in data.skipped]
    if not skipped:
        return
    output_dir.mkdir(parents=True, exist_ok=True)
    path = output_dir / SKIPPED_ROWS_NAME
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in skipped), encoding="utf-8")
    logger.warning("All rows that are left out, %d, are listed with their reasons in %s.", len(skipped), path)
