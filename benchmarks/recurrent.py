"""Scores of run_recurrent.py with its defaults, over seeds; other options are passed on to it.

python -m benchmarks.recurrent --data_dir DATA --seeds 42 43 44
"""

import sys
from pathlib import Path

import torch

from trainers.commands import run_recurrent
from trainers.runs import read_results

from .arguments import benchmark_parser, command_of
from .report import write_report

METRICS = ("accuracy", "macro_f1", "weighted_f1")


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[42, 43, 44], help="Seeds, one run each (default: 42 43 44)."
    )
    parser.add_argument("--output_dir", type=Path, default=Path("outputs/recurrent_seeds"), help="Folder of the runs.")
    args, further = parser.parse_known_args(argv)

    scores: dict[str, list[float]] = {}
    seconds = []
    for seed in args.seeds:
        folder = args.output_dir / f"seed-{seed}"
        run_recurrent(["--data_dir", args.data_dir, "--seed", str(seed), *further, "--output_dir", str(folder)])
        result = read_results(folder)["recipes"]["bert"]
        seconds.append(result["seconds"])
        for name in METRICS:
            scores.setdefault(name, []).append(round(result["metrics"][name], 4))
    run = {"seeds": args.seeds, "seconds": seconds, "threads": torch.get_num_threads()}
    run["command"] = command_of("recurrent", "--seeds", *args.seeds, *further)
    write_report(args.results_dir, "recurrent", run, {"run_recurrent.py": scores})


if __name__ == "__main__":
    main(sys.argv[1:])
