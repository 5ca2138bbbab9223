"""The effect of options: a recipe with each of several settings, over seeds.

python -m benchmarks.settings --data_dir DATA

All options of `csr-emotion train` are accepted and apply to every run. Stages found in --reuse_stages_from are not
trained again.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from typing import Any

from trainers.commands import BAD_INPUT, exit_on, set_up_logging
from trainers.data import NORMALIZATION_STEPS
from trainers.experiments import compare_systems, save_comparison, task_scores
from trainers.loop import encoder_label
from trainers.recipes import RECIPES

from .arguments import add_data_options, benchmark_parser, command_of, run_options
from .grid import Grid
from .report import write_report
from .shares import EPOCHS, share_heading, share_options

ALL_TWEETS = "semeval2017-4a-all"
# The same for both, since evaluation draws random numbers, which changes the training after it.
BY_EPOCH = ["--eval_strategy", "epoch", "--save_strategy", "epoch"]
# The last two of MiniLM's six layers.
TOP_LAYERS = {"r": 16, "lora_alpha": 16, "layers_to_transform": [4, 5]}
READ_ONCE = ["--max_train_samples", "40000", "--source_num_train_epochs", "1"]


@dataclass(frozen=True)
class Group:
    """Settings to compare.

    Args:
        title (`str`): Subject of the options.
        recipe (`str`): Recipe to measure them with.
        settings (`dict[str, list[str]]`): Options that differ from the defaults, by setting; the others are
            tested against the first.
        options (`tuple[str, ...]`): Options of all settings.
    """

    title: str
    recipe: str
    settings: dict[str, list[str]]
    options: tuple[str, ...] = ()


GROUPS: dict[str, Group] = {
    # All stages of the recipe use the emotion data: every multi-label stage has the loss.
    "label_losses": Group(
        "Label losses and class weights",
        "label-attention",
        {
            "cross_entropy": [],
            "asymmetric": ["--label_loss", "asymmetric"],
            "correlation": ["--label_loss", "correlation"],
            "sqrt_weights": ["--class_weights", "sqrt"],
            "balanced_weights": ["--class_weights", "balanced"],
            "asymmetric_sqrt_weights": ["--label_loss", "asymmetric", "--class_weights", "sqrt"],
        },
    ),
    "siamese_pairs": Group(
        "Pairs",
        "model-3.3",
        {
            "random": [],
            "distinct": ["--siamese_pairs", "distinct"],
            "balanced": ["--siamese_pairs", "balanced"],
            "jaccard": ["--siamese_target", "jaccard"],
            "contrastive": ["--siamese_loss", "contrastive"],
        },
    ),
    # An emotion encoder that is stopped before it memorises its training texts, and the space on top of it.
    "early_stopping": Group(
        "Early stopping",
        "emotion-alone",
        {
            "last_epoch": BY_EPOCH,
            "best_epoch": [*BY_EPOCH, "--load_best_model_at_end", "True"],
        },
    ),
    # The sentiment encoder matters most in this recipe. Larger datasets: seven times the texts, each read once.
    "sentiment_source": Group(
        "Sentiment data",
        "token-space",
        {
            "semeval2017-4a": ["--sentiment_dataset", "semeval2017-4a"],
            "semeval2017-4a-all": ["--sentiment_dataset", ALL_TWEETS, *READ_ONCE],
            "sentiment140": ["--sentiment_dataset", "sentiment140", *READ_ONCE],
        },
    ),
    # Number of unlabelled texts for the last stage.
    "unlabelled_texts": Group(
        "Texts without labels",
        "model-3.4",
        {
            "6000": ["--unlabelled_dataset", "semeval2017-4a"],
            "20000": ["--unlabelled_dataset", ALL_TWEETS],
            "all": ["--unlabelled_dataset", ALL_TWEETS, "--max_unlabelled_samples", "100000"],
        },
    ),
    # Task weights, and how batches are drawn from tasks.
    "task_weighting": Group(
        "Task weighting",
        "all-in-one",
        {
            "equal": [],
            "size": ["--task_weighting", "size"],
            "uncertainty": ["--task_weighting", "uncertainty"],
            "by_task": ["--task_sampling", "by_task"],
        },
    ),
    # Full fine-tuning, and LoRA adapters of several ranks.
    "adapters": Group(
        "Adapters",
        "bert",
        {
            "full": [],
            # The rate at which heads learn beside adapters.
            "full_head_rate": ["--head_learning_rate", "1e-3"],
            "lora_4": ["--lora_r", "4"],
            "lora_16": ["--lora_r", "16"],
            "lora_64": ["--lora_r", "64"],
        },
    ),
    # A common space whose encoders are adapters of one backbone, in all its layers or in the upper third.
    "shared_backbone": Group(
        "One backbone",
        "model-3.3",
        {
            "full": [],
            "separate": ["--lora_r", "16"],
            "shared": ["--lora_r", "16", "--shared_backbone", "True"],
            "shared_top": ["--peft_config", json.dumps(TOP_LAYERS), "--shared_backbone", "True"],
        },
    ),
    # Tweet normalisation: no steps, all steps, and all but one.
    "text_normalization": Group(
        "Tweet normalisation",
        "bert",
        {
            "none": ["--normalization", "none"],
            "all": ["--normalization", *NORMALIZATION_STEPS],
            **{
                f"all_but_{step}": ["--normalization", *(other for other in NORMALIZATION_STEPS if other != step)]
                for step in NORMALIZATION_STEPS
            },
        },
        ("--num_train_epochs", "2", "--save_strategy", "no", "--eval_strategy", "no"),
    ),
}


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/settings")
    parser.add_argument("--groups", nargs="+", default=list(GROUPS), choices=GROUPS, help="What to compare.")
    known = sorted({setting for group in GROUPS.values() for setting in group.settings})
    parser.add_argument(
        "--settings", nargs="+", choices=known, metavar="SETTING", help="Only these settings of the groups."
    )
    parser.add_argument("--recipe", choices=RECIPES, metavar="RECIPE", help="Recipe to use instead of the group's own.")
    parser.add_argument("--share", type=float, default=1.0, choices=EPOCHS, help="Share of the emotion texts.")
    add_data_options(parser, ("emotion", "sentiment", "related", "intensity", "valence"))
    parser.add_argument("--reuse_stages_from", help="Folder of runs `seed-N` whose identical stages are copied.")
    args, further = parser.parse_known_args(argv)
    chosen = {
        name: {
            setting: options
            for setting, options in GROUPS[name].settings.items()
            if setting in (args.settings or known)
        }
        for name in args.groups
    }
    for name, settings in chosen.items():
        if len(settings) < 2:
            parser.error(f"--settings leaves fewer than two settings of group {name} to compare.")
    set_up_logging()
    for name, settings in chosen.items():
        compare(name, settings, args, further)


def compare(name: str, settings: dict[str, list[str]], args: argparse.Namespace, further: list[str]) -> None:
    """Run a group, and write its results."""
    group = GROUPS[name]
    recipe = args.recipe or group.recipe
    given = ["--recipe", recipe, *run_options(args), *share_options(args.share), *group.options, *further]
    with exit_on("settings", *BAD_INPUT):
        grid = Grid.prepare(
            {setting: [*given, *options] for setting, options in settings.items()},
            args.seeds,
            args.output_dir / f"share-{args.share}" / name,
            args.reuse_stages_from,
        )
    systems = grid.run()

    command = ["--groups", name, "--settings", *settings, "--recipe", recipe, "--share", args.share]
    command += ["--seeds", *args.seeds, *further]
    about = {"emotion_dataset": args.emotion_dataset, "share": args.share, "recipe": recipe, "seeds": args.seeds}
    about |= {"encoder": encoder_label(args.encoder), "command": command_of("settings", *command)}
    other = [*([recipe] if recipe != group.recipe else []), *([str(args.share)] if args.share < 1 else [])]
    written = "-".join([name, *other])
    if len(grid.first.prepared.final.tasks) > 1:
        write_report(args.results_dir, written, about, scores_by_task(grid))
    else:
        baseline, prepared = next(iter(settings)), grid.first.prepared
        problem_type = prepared.task_config("emotion")["problem_type"]
        references = prepared.labels("dev")
        compared = compare_systems(systems, references, problem_type, baseline, **prepared.sampling())
        heading = f"{group.title} of {recipe}{share_heading(args.share)}"
        save_comparison(compared, args.results_dir, written, heading, about, baseline=baseline)
    print((args.results_dir / f"{written}.md").read_text(encoding="utf-8"))


def scores_by_task(grid: Grid) -> dict[str, dict[str, Any]]:
    """Scores of finished multi-task models, by setting and by metric of each task."""
    found: dict[str, dict[str, Any]] = {}
    for setting, of_seeds in grid.runners.items():
        runs = [runner.prepared for runner in of_seeds.values()]
        folders = [run.folder(run.final) for run in runs]
        found[setting] = {
            f"{task} {metric}": values
            for task in runs[0].final.tasks
            for metric, values in task_scores(folders, task, runs[0].task_config(task)["problem_type"]).items()
        }
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
