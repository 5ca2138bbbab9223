"""What run_recurrent.py reaches with its defaults, over seeds; further options are passed on to it.

python benchmarks/recurrent.py --data_dir DATA --seeds 42 43 44
"""

import argparse
import subprocess
import sys
from pathlib import Path

import torch
from report import write_report

from trainers.runs.results import read_results

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "run_recurrent.py"
METRICS = ("accuracy", "macro_f1", "weighted_f1")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--seeds", nargs="+", default=["42", "43", "44"], help="One run each (default: 42 43 44).")
    parser.add_argument("--output_dir", default="outputs/recurrent_seeds", help="Where the runs are written.")
    args, options = parser.parse_known_args(argv)

    scores: dict[str, list[float]] = {}
    seconds = []
    for seed in args.seeds:
        folder = Path(args.output_dir) / f"seed-{seed}"
        command = [sys.executable, str(EXAMPLE), "--data_dir", args.data_dir, "--seed", seed, *options]
        # It has said itself what is wrong.
        if subprocess.run([*command, "--output_dir", str(folder)]).returncode:
            sys.exit(f"{Path(__file__).name}: error: the run of seed {seed} failed.")
        result = read_results(folder)["recipes"]["bert"]
        seconds.append(result["seconds"])
        for name in METRICS:
            scores.setdefault(name, []).append(round(result["metrics"][name], 4))
    run = {"seeds": args.seeds, "seconds": seconds, "threads": torch.get_num_threads()}
    shown = " ".join(["python benchmarks/recurrent.py --data_dir DATA --seeds", *args.seeds, *options])
    write_report("recurrent", {**run, "command": shown}, {"run_recurrent.py": scores})


if __name__ == "__main__":
    main(sys.argv[1:])
