"""`csr-emotion compare`: recipes side by side over several seeds, with paired tests."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..experiments import compare_recipes, save_comparison
from ..loop import encoder_label
from ..recipes import find_recipe
from ..runs import RUN_ERRORS, Runner
from .parser import check_seeds, parse_run_arguments
from .terminal import BAD_INPUT, exit_on, set_up_logging

COMMAND = "csr-emotion compare"
DESCRIPTION = """Train recipes over several seeds, and test how they differ from the first of them, on dev. Further
options are those of `csr-emotion train` and go to every run. A comparison that was interrupted continues where it
was."""


def run_comparison(argv: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.

    Returns:
        `dict`: Maps each recipe to its `scores` and, for all but the first, the `tests` (see [`compare_recipes`]).
    """
    args, further = comparison_parser().parse_known_args(list(argv))
    set_up_logging()
    folder = Path(args.output_dir)
    with exit_on(COMMAND, *BAD_INPUT):
        # Everything is checked before any training.
        check_seeds(args.seeds)
        runners = {seed: Runner(_run_arguments(args, further, seed, folder)) for seed in args.seeds}
    for runner in runners.values():
        with exit_on(COMMAND, *RUN_ERRORS):
            runner.run()
    run = next(iter(runners.values())).prepared
    data = run.tasks["emotion"]
    folders = {seed: runner.prepared.output_dir for seed, runner in runners.items()}
    recipes = [find_recipe(recipe).name for recipe in args.recipes]
    references, first = run.labels("dev"), recipes[0]
    compared = compare_recipes(folders, recipes, references, data.problem_type, baseline=first, **run.sampling())
    about = {"data": data.name, "encoder": encoder_label(run.args.model.encoder), "seeds": args.seeds}
    save_comparison(compared, folder, "comparison", f"Recipes on {data.name}", about, baseline=recipes[0])
    print((folder / "comparison.md").read_text(encoding="utf-8"))
    print(f"Table, figure and JSON are in {folder}.")
    return compared


def comparison_parser() -> argparse.ArgumentParser:
    """Parser of the command's own options."""
    parser = argparse.ArgumentParser(
        COMMAND, description=DESCRIPTION, allow_abbrev=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    about = "The recipes; the others are tested against the first."
    parser.add_argument("--recipes", nargs="+", default=["bert", "model-3.3"], help=about)
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[42, 43, 44], help="Seeds; each recipe is run once per seed."
    )
    parser.add_argument("--output_dir", default="outputs/comparison", help="Directory for runs and results.")
    return parser


def _run_arguments(args: argparse.Namespace, further: list[str], seed: int, folder: Path) -> Any:
    own = [option for option in further if option.split("=")[0] in ("--recipe", "--seed", "--push_to_hub")]
    if own:
        raise ValueError(f"{' '.join(own)} cannot be given: see --recipes and --seeds; publish with csr-emotion train.")
    of_seed = ["--seed", str(seed), "--output_dir", str(folder / f"seed-{seed}")]
    return parse_run_arguments(["--recipe", *args.recipes, *further, *of_seed])
