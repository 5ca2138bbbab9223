"""Controls that show whether sentiment matters, and ablations of model-3.4, one component at a time.

python -m benchmarks.ablation --data_dir DATA

Runs are written to the folder that examples/reproduce_paper.py uses for Table 1, so that all share their encoders. Runs
on a share of the labelled texts, such as little-data, have their own folder and reuse the source encoders from there.
All options of `csr-emotion train` are accepted and apply to every run.
"""

import argparse
import sys
from pathlib import Path

from trainers.commands import set_up_logging
from trainers.experiments import compare_recipes, save_comparison
from trainers.loop import encoder_label

from .arguments import TASK_DATA, add_data_options, benchmark_parser, command_of, data_options, run_options
from .grid import run_recipes
from .recipes import FROM_RELATED
from .shares import EPOCHS, share_heading, share_options

# Recipes by group; the others are tested against the first.
GROUPS: dict[str, list[str]] = {
    "controls": ["bert", "model-3.1", "model-3.3", "emotion-alone", "two-emotion-encoders", "sentiment-alone"],
    "ablation": [
        *("bert", "corrupted-emotion", "bert-head-rate", "bert-from-related", "common-space-from-related"),
        *("label-attention", "label-attention-from-related", "self-trained", "self-trained-intensity"),
        *("all-in-one", "model-3.4"),
    ],
    # The plain encoder, trained as well as ours: its head also has its own learning rate.
    "tuned-bert": ["bert-head-rate", "model-3.3", "label-attention", *FROM_RELATED, "self-trained", "model-3.4"],
    # A single encoder without self-training, from the same texts: with a plain head, and with the same head.
    "single-encoder": [*FROM_RELATED, "model-3.4"],
    # Without and with a sentiment encoder: starting from the pretrained encoder, from that of the related data, in the
    # space learnt from these, and as an additional teacher.
    "sentiment": [
        *("bert-head-rate", "label-attention", "token-space"),
        *("label-attention-from-related", "token-space-from-related"),
        *("common-space-from-related", "common-space-from-related-sentiment"),
        *("model-3.4", "self-trained-label-attention", "self-trained-sentiment"),
    ],
    # Starting from sentiment, or with a sentiment encoder, for few labels, where sources should matter most.
    "little-data": [
        *("bert-head-rate", "bert-averaged", "label-attention", "label-attention-from-sentiment", *FROM_RELATED),
        *("label-attention-from-intensity", "common-space-from-related-sentiment"),
        *("token-space", "token-space-from-sentiment", "token-space-reconstruction"),
        *("token-space-related", "token-space-from-related", "token-space-trained-source"),
        *("self-trained-seeds", "model-3.4"),
    ],
    # An emotion encoder that a Siamese network was trained through: what the reconstruction loss adds on it, and how it
    # does beside one that was trained further on labels.
    "siamese-encoder": ["model-3.1-siamese-encoder", "model-3.3-siamese-encoder", "model-3.1-longer", "model-3.1"],
}
# Share of the labelled emotion texts for groups that do not use all.
SHARES = {"little-data": 0.1, "siamese-encoder": 0.1}


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/paper/table-1-e-c")
    parser.add_argument("--groups", nargs="+", default=list(GROUPS), choices=GROUPS, help="What to compare.")
    known = sorted({recipe for recipes in GROUPS.values() for recipe in recipes})
    parser.add_argument(
        "--recipes", nargs="+", choices=known, metavar="RECIPE", help="Only these recipes of the groups."
    )
    parser.add_argument(
        "--share", type=float, choices=EPOCHS, help="Share of the emotion texts, instead of the group's own."
    )
    add_data_options(parser, TASK_DATA)
    args, further = parser.parse_known_args(argv)
    chosen = {group: [name for name in GROUPS[group] if name in (args.recipes or known)] for group in args.groups}
    for group, recipes in chosen.items():
        if len(recipes) < 2:
            parser.error(f"--recipes leaves fewer than two recipes of group {group} to compare.")
    set_up_logging()
    for group, recipes in chosen.items():
        compare_group(group, recipes, args, further)


def compare_group(group: str, recipes: list[str], args: argparse.Namespace, further: list[str]) -> None:
    """Carry out the recipes of a group over all seeds, and write how they compare with the first."""
    own = SHARES.get(group, 1.0)
    share = args.share or own
    written = group if share == own else f"{group}-{share}"
    folders: dict[int, Path] = {}
    for seed in args.seeds:
        full = args.output_dir / f"seed-{seed}"
        folders[seed] = args.output_dir / written / full.name if share < 1 else full
        options = ["--recipe", *recipes, *run_options(args), "--seed", str(seed), "--output_dir", str(folders[seed])]
        options += share_options(share)
        options += ["--reuse_stages_from", str(full)] if share < 1 and full.is_dir() else []
        prepared = run_recipes("ablation", [*options, *further]).prepared
    problem_type = prepared.task_config("emotion")["problem_type"]
    compared = compare_recipes(
        folders, recipes, prepared.labels("dev"), problem_type, recipes[0], **prepared.sampling()
    )
    data = data_options(args)
    given = ["--groups", group, *(["--share", share] if args.share else []), "--recipes", *recipes]
    given += ["--seeds", *args.seeds]
    for name, value in data.items():
        given += [f"--{name}", value] if value != TASK_DATA[name.removesuffix("_dataset")][0] else []
    about = {**data, "encoder": encoder_label(args.encoder), "seeds": args.seeds}
    about["command"] = command_of("ablation", *given, *further)
    heading = group.capitalize() + share_heading(args.share)
    save_comparison(compared, args.results_dir, written, heading, about, baseline=recipes[0])


if __name__ == "__main__":
    main(sys.argv[1:])
