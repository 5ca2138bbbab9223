"""The effect of class weights and of augmentation on rare labels, over seeds, with intervals for each label.

python -m benchmarks.rare_labels --data_dir DATA

Runs follow the config, without and with each treatment. All options of `csr-emotion train` are accepted and apply to
every run.
"""

import sys
from pathlib import Path

from trainers.commands import BAD_INPUT, exit_on, set_up_logging
from trainers.experiments import compare_labels, compare_systems, labels_table, save_comparison
from trainers.loop import encoder_label

from .arguments import benchmark_parser, command_of
from .grid import Grid

CONFIG = Path(__file__).resolve().parent.parent / "examples" / "configs" / "seven-emotions.yaml"
NAME = "rare_labels"
BASELINE = "default"


def treatments(copies: int) -> dict[str, list[str]]:
    """Options that differ from the config, by treatment; the others are tested against the first."""
    return {
        BASELINE: [],
        "sqrt": ["--class_weights", "sqrt"],
        "balanced": ["--class_weights", "balanced"],
        "augment": ["--augment_rare", str(copies)],
    }


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/rare_labels")
    parser.add_argument("--config", default=str(CONFIG), help="YAML file with the options of all runs, for one recipe.")
    parser.add_argument(
        "--copies", type=int, default=600, help="Number of training texts per label for --augment_rare."
    )
    args, further = parser.parse_known_args(argv)
    set_up_logging()

    given = ["--config", args.config, "--encoder", args.encoder, "--data_dir", args.data_dir, *further]
    settings = {treatment: [*given, *options] for treatment, options in treatments(args.copies).items()}
    with exit_on(NAME, *BAD_INPUT):
        grid = Grid.prepare(settings, args.seeds, args.output_dir)
        prepared = grid.first.prepared
        data = prepared.tasks["emotion"]
        if data.problem_type != "multi_label_classification" or len(prepared.recipes) > 1:
            raise ValueError("The treatments are compared on multi-label data, in runs of one recipe.")
    systems = grid.run()

    references = prepared.labels("dev")
    compared = compare_systems(systems, references, data.problem_type, BASELINE, **prepared.sampling())
    by_label = compare_labels(systems, references, data.labels, BASELINE, **prepared.sampling())
    for treatment, labels in by_label.items():
        compared[treatment]["labels"] = labels
    support = dict(zip(data.labels, references.sum(axis=0).astype(int).tolist(), strict=True))
    table = labels_table(by_label, BASELINE, dict(sorted(support.items(), key=lambda item: item[1])))
    augmented = grid.runners["augment"][args.seeds[0]].prepared.tasks["emotion"]
    own_config = ["--config", args.config] if Path(args.config).resolve() != CONFIG else []
    about = {
        "data": data.name,
        "recipe": prepared.recipes[0].name,
        "encoder": encoder_label(args.encoder),
        "seeds": args.seeds,
        "augmentation": " ".join(augmented.notes[len(data.notes) :]) or "no label has fewer texts",
        "command": command_of(NAME, "--seeds", *args.seeds, "--copies", args.copies, *further, *own_config),
    }
    told = "F1 of each label, rarest first, as above; the p-values are not corrected for the number of labels."
    heading = f"Rare labels, {data.name}"
    save_comparison(compared, args.results_dir, NAME, heading, about, baseline=BASELINE, sections=[told, table])
    print((args.results_dir / f"{NAME}.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
