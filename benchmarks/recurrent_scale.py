"""A BiLSTM on many rows: peak memory at a quarter and at all of them, speed beside the floor, and a restart.

python -m benchmarks.recurrent_scale --data_dir DATA

The rows are the 16,000 of dair-emotion and changed copies of them (words swapped or left out, common misspellings,
neighbouring keys), as many of each label. They stand for a large file in time and memory alone: copies teach a model
next to nothing, and no accuracy is reported. Each training is `run_recurrent.py` in a process of its own, with one
thread.

- Memory: the peak of the process, of trainings on a quarter of the rows and on all of them.
- Speed: the rows by which these two differ, over the difference of their CPU times, so that what any training takes
  (imports, dev) is left out; the tokenisation is not. The floor is what the products of matrices alone would take
  that the LSTM has to compute: 2 operations per weight and token forward, twice that backward, at the rate of a large
  product in the same process.
- Restart: a training that is killed after the first checkpoint in the middle of an epoch and started again, beside one
  that is not, on fewer rows.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import TaskDataset, augment_rare_labels, check_augmentations, load_task_dataset, write_json
from trainers.experiments import markdown_table

from .arguments import benchmark_parser, command_of
from .report import write_table

NAME = "recurrent_scale"
# Rows of the data set that the 16,000 were drawn from.
ROWS = 416_809
AUGMENTATIONS = ("swap", "delete", "spelling", "keyboard")
MEGABYTE = 1e6
# The file that is written last.
WHOLE_CHECKPOINT = "checkpoint-*/checkpoint_files.json"


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"Training rows (default: {ROWS:,}).")
    parser.add_argument("--restart_rows", type=int, default=8_000, help="Rows of the trainings for the restart.")
    parser.add_argument("--output_dir", type=Path, default=Path(f"outputs/{NAME}"), help="Folder of rows and runs.")
    args = parser.parse_args(argv)
    with exit_on(NAME, *BAD_INPUT):
        check_augmentations(AUGMENTATIONS)
        data = load_task_dataset("dair-emotion", data_dir=args.data_dir)
    sizes = (args.rows // 4, args.rows)
    folders = {size: write_rows(data, size, args.output_dir / f"rows-{size}") for size in (*sizes, args.restart_rows)}
    runs = [train(folders[size], args.output_dir / f"run-{size}") for size in sizes]
    results = {
        "rows": [count(folders[size]) for size in sizes],
        "peak_bytes": [run["peak_bytes"] for run in runs],
        "cpu_seconds": [run["cpu_seconds"] for run in runs],
        **speed(args.output_dir / f"run-{args.rows}", folders[args.rows]),
        "restart": restart(folders[args.restart_rows], args.output_dir),
    }
    (few, many), (short, long) = results["rows"], results["cpu_seconds"]
    results["texts_a_second"] = round((many - few) / (long - short), 1)
    command = command_of(NAME, "--rows", args.rows, "--restart_rows", args.restart_rows)
    write_table(args.results_dir, NAME, results, table(results, command))


def write_rows(data: TaskDataset, size: int, folder: Path) -> Path:
    """Write about `size` training rows, and dev as it is, unless they are there."""
    if not (folder / "train.parquet").is_file():
        train = data.splits["train"]
        if size > len(train):
            grown = augment_rare_labels(data, size // len(data.labels), AUGMENTATIONS, seed=42)
            train = grown.splits["train"].shuffle(seed=42)
        folder.mkdir(parents=True, exist_ok=True)
        for split, rows in (("dev", data.splits["dev"]), ("train", train.select(range(min(size, len(train)))))):
            names = [data.labels[label] for label in rows["labels"][:]]
            columns = rows.select_columns("text").add_column("label", names)  # type: ignore[call-arg]
            columns.to_parquet(folder / f"{split}.unfinished")
            (folder / f"{split}.unfinished").replace(folder / f"{split}.parquet")
    return folder


def count(folder: Path) -> int:
    return len(load_task_dataset(folder, splits=("train",)).splits["train"])


def training_command(rows: Path, output_dir: Path, *options: str) -> list[str]:
    """The documented command, for one epoch."""
    script = "import sys; from trainers.commands import run_recurrent; run_recurrent(sys.argv[1:])"
    argv = ["--emotion_dataset", str(rows), "--output_dir", str(output_dir), "--num_train_epochs", "1"]
    return [sys.executable, "-c", script, *argv, "--use_cpu", "True", "--disable_tqdm", "True", *options]


def start(argv: Sequence[str]) -> subprocess.Popen:
    return subprocess.Popen(argv, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL)


def train(rows: Path, output_dir: Path) -> dict[str, float]:
    """Train in a process of its own, unless an earlier call has.

    Returns:
        `dict[str, float]`: Its `peak_bytes` and `cpu_seconds`.

    Raises:
        RuntimeError: If it fails, or is finished without having been measured.
    """
    measured = output_dir / "measured.json"
    if not measured.is_file():
        if (output_dir / "emotion-encoder" / "model.safetensors").is_file():
            raise RuntimeError(f"{output_dir} holds a finished training, which takes no time: delete it.")
        _, status, usage = os.wait4(start(training_command(rows, output_dir, "--save_strategy", "no")).pid, 0)
        if status:
            raise RuntimeError(f"The training in {output_dir} failed.")
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        write_json(measured, {"peak_bytes": peak, "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1)})
    return json.loads(measured.read_text(encoding="utf-8"))


def speed(run: Path, rows: Path) -> dict[str, float]:
    """What the floor of a training is made of."""
    tokenizer, encoder = (one.from_pretrained(run / "recurrent-encoder") for one in (AutoTokenizer, AutoModel))
    weights = sum(
        weight.numel() for name, weight in encoder.named_parameters() if "weight_ih" in name or "weight_hh" in name
    )
    texts = load_task_dataset(rows, splits=("train",)).splits["train"]["text"][:2000]
    tokens = sum(map(len, tokenizer(texts)["input_ids"])) / len(texts)
    operations = 6 * weights * tokens
    rate = matrix_rate()
    return {
        "weights": weights,
        "tokens_a_text": round(tokens, 1),
        "operations_a_text": operations,
        "operations_a_second": rate,
        "floor_texts_a_second": round(rate / operations, 1),
    }


def matrix_rate(size: int = 1024, repeats: int = 20) -> float:
    """Operations per second of CPU time of a product of two square matrices, with one thread."""
    torch.set_num_threads(1)
    first, second = torch.randn(size, size), torch.randn(size, size)
    first @ second
    started = time.process_time()
    for _ in range(repeats):
        first @ second
    return repeats * 2 * size**3 / (time.process_time() - started)


def restart(rows: Path, output_dir: Path) -> dict[str, Any]:
    """Kill a training in the middle of its epoch, start it again, and compare its weights with those of another."""
    steps = -(-count(rows) // 64)
    saving = ("--save_strategy", "steps", "--save_steps", str(max(1, steps // 3)))
    whole, killed = output_dir / "whole", output_dir / "killed"
    train(rows, whole)
    shutil.rmtree(killed, ignore_errors=True)
    process = start(training_command(rows, killed, *saving))
    while not (checkpoints := list((killed / "emotion-encoder").glob(WHOLE_CHECKPOINT))):
        if process.poll() is not None:
            raise RuntimeError(f"The training in {killed} ended before it had a checkpoint.")
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if start(training_command(rows, killed, *saving)).wait():
        raise RuntimeError(f"The training in {killed} could not be continued.")
    first, second = (load_file(folder / "emotion-encoder" / "model.safetensors") for folder in (whole, killed))
    return {
        "rows": count(rows),
        "steps": steps,
        "killed_after": int(checkpoints[0].parent.name.rpartition("-")[2]),
        "largest_difference": max(float((first[name] - second[name]).abs().max()) for name in first),
    }


def table(results: dict[str, Any], command: str) -> str:
    """The figures as Markdown."""
    (few, many), (low, high) = results["rows"], results["peak_bytes"]
    found, floor, again = results["texts_a_second"], results["floor_texts_a_second"], results["restart"]
    rows = [
        [f"peak memory, {few:,} rows", f"{low / MEGABYTE:,.0f} MB"],
        [f"peak memory, {many:,} rows", f"{high / MEGABYTE:,.0f} MB"],
        [f"CPU time of an epoch, {few:,} rows, imports included", f"{results['cpu_seconds'][0]:,.0f} s"],
        [f"CPU time of an epoch, {many:,} rows, imports included", f"{results['cpu_seconds'][1]:,.0f} s"],
        ["texts a CPU second, without what any training takes", f"{found:,.0f}"],
        [
            f"floor: {results['operations_a_text'] / 1e6:.1f} M operations a text of {results['tokens_a_text']} "
            f"tokens at {results['operations_a_second'] / 1e9:.0f} G a second",
            f"{floor:,.0f} texts a second",
        ],
        ["share of the floor's speed", f"{100 * found / floor:.0f} %"],
        [
            f"largest difference of a weight after a restart ({again['rows']:,} rows, killed after step "
            f"{again['killed_after']} or later of {again['steps']})",
            f"{again['largest_difference']:g}",
        ],
    ]
    text = markdown_table(["one thread, one epoch", ""], rows)
    return f"{text}\n\nCommand: `{command}`\n"


if __name__ == "__main__":
    main(sys.argv[1:])
