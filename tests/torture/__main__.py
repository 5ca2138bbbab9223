"""Put the library through what takes too long for every test run, and write what survived.

    python -m tests.torture --share 0.1

Prints each trial in which something was lost, and writes the table of `docs/robustness.md`.
"""

import argparse
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}

import datasets
import transformers

from tests.helpers import tiny_run
from tests.torture import damages, hub_faults, kills, pipelines, processes, sizes
from tests.torture.trials import Trial

PAGE = tiny_run.REPOSITORY / "docs" / "robustness.md"
TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end of table -->)", re.DOTALL)
# By part, what tries it and how often.
PARTS = {
    "kills": (kills.trials, 200),
    "damages": (damages.trials, 200),
    "hub": (hub_faults.trials, 60),
    "pipelines": (pipelines.trials, 20),
    "processes": (processes.trials, 16),
    "sizes": (sizes.trials, 5),
}


def table(trials: list[Trial]) -> str:
    """A Markdown table with a row for each part."""
    tried, lost = Counter(trial.part for trial in trials), Counter(trial.part for trial in trials if trial.lost)
    signals: Counter[str] = Counter()
    for trial in trials:
        signals[trial.part] += trial.signals
    rows = [
        f"| {part} | {signals[part] or ''} | {count} | {count - lost[part]} | {lost[part]} |"
        for part, count in tried.items()
    ]
    return "\n".join(["| what | signals | tried | survived | lost |", "|---|---:|---:|---:|---:|", *rows, ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS), help="What to try.")
    parser.add_argument("--share", type=float, default=1.0, help="Share of the usual number of trials.")
    parser.add_argument("--seed", type=int, default=0, help="Seed of all that is random.")
    parser.add_argument("--write", action="store_true", help=f"Write the table into {PAGE.name}.")
    args = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    found: list[Trial] = []
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for part in args.parts:
                make, count = PARTS[part]
                place = Path(folder) / part
                place.mkdir()
                # What another part has left there, no command of this one would read, nor miss.
                datasets.config.HF_DATASETS_CACHE = place / "cache"
                for trial in make(place, args.seed, max(round(args.share * count), 1)):
                    found.append(trial)
                    if trial.lost:
                        print(f"LOST {trial.part}, {trial.name}: {trial.lost}", flush=True)
                    elif sys.stdout.isatty():
                        print(f"{len(found)} {trial.part}, {trial.name}", flush=True)
    finally:  # also of a command that is stopped
        print(table(found))
    if args.write:
        text = f"{table(found)}\nThis is a share of {args.share:g} of the usual trials, with seed {args.seed}.\n"
        PAGE.write_text(TABLE.sub(lambda _: text, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return any(trial.lost for trial in found)


if __name__ == "__main__":
    sys.exit(main())
