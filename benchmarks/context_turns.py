"""What `--context_turns` is worth on MELD: utterances joined with those before them, on vectors of a frozen encoder.

python -m benchmarks.context_turns --data_dir DATA

The encoder reads each utterance alone and joined with up to k of those before it, as `--context_turns k` makes them,
and is not trained: a layer and a head are, once per seed. A mean over the tokens of a joined text says less of the
utterance itself, so each k is also tried with the vector of the utterance beside that of the joined text ("and
alone"). In the tests, dialogues are drawn as a whole.
"""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import TaskDataset, check_dialogues, load_task_dataset, sample_dialogues
from trainers.evaluation import HEADLINE, paired_test, score
from trainers.experiments import difference, markdown_table, mean_and_spread
from trainers.loop import resolve_encoder
from trainers.runs import read_in_context

from .arguments import benchmark_parser, command_of
from .frozen_vectors import FrozenEncoder
from .report import write_table
from .vector_heads import VectorHeads

NAME = "context_turns"
PROBLEM_TYPE = "single_label_classification"
METRICS = HEADLINE[PROBLEM_TYPE]


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/context_turns")
    parser.add_argument("--dataset", default="meld", help="Utterances in dialogues with one label each.")
    parser.add_argument("--turns", nargs="+", type=int, default=[1, 3], help="Values of k (default: 1 3).")
    parser.add_argument("--train_utterances", type=int, help="Utterances of train, in whole dialogues (default: all).")
    parser.add_argument("--epochs", type=int, default=8, help="Epochs of the head.")
    args = parser.parse_args(argv)
    with exit_on(NAME, *BAD_INPUT):
        data = load_task_dataset(args.dataset, data_dir=args.data_dir)
        check_dialogues(data.splits, data.name)
        if data.problem_type != PROBLEM_TYPE:
            raise ValueError(f"--dataset {args.dataset} has several labels a text; name data with one, such as meld.")
    if args.train_utterances is not None:
        data.splits["train"] = sample_dialogues(data.splits["train"], args.train_utterances, seed=42)
    encode = FrozenEncoder(resolve_encoder(args.encoder), args.output_dir / "vectors", max_length=128)
    separator = encode.tokenizer.sep_token or "|"
    vectors = {"0": read(data, encode)}
    for turns in args.turns:
        joined = read(read_in_context(data, turns, separator), encode)
        vectors[str(turns)] = joined
        vectors[f"{turns}, and alone"] = np.concatenate([vectors["0"], joined], axis=1)
    decisions = {name: decide(found, data, args) for name, found in vectors.items()}
    results = {
        "settings": compared(decisions, data),
        "texts": {split: len(rows) for split, rows in data.splits.items()},
        "dialogues": len(set(data.groups("dev"))),
        "seeds": args.seeds,
    }
    options = [
        word for name in ("dataset", "train_utterances", "epochs") for word in (f"--{name}", getattr(args, name))
    ]
    command = command_of(NAME, "--turns", *args.turns, *options)
    write_table(args.results_dir, NAME, results, table(results, command))


def read(data: TaskDataset, encode: FrozenEncoder) -> np.ndarray:
    """Vectors of the utterances of train, then of dev, centred and scaled by those of train."""
    train, dev = (encode(data.splits[split]["text"][:]) for split in ("train", "dev"))
    return (np.concatenate([train, dev]) - train.mean(axis=0)) / (train.std(axis=0) + 1e-6)


def decide(vectors: np.ndarray, data: TaskDataset, args: Any) -> np.ndarray:
    """Class ids of the dev utterances, `(seeds, utterances)`."""
    task = {"labels": list(data.labels), "problem_type": PROBLEM_TYPE}
    heads = VectorHeads(vectors, {"emotion": task}, 384, args.output_dir, args.epochs)
    train, dev = np.split(np.arange(len(vectors)), [len(data.splits["train"])])
    found = []
    for seed in args.seeds:
        model = heads.train(train, {"emotion": data.targets("train")}, seed)
        found.append(heads.logits(model, dev)["emotion"].argmax(axis=1))
    return np.stack(found)


def compared(decisions: Mapping[str, np.ndarray], data: TaskDataset) -> dict[str, Any]:
    """Scores by seed, and tests against utterances alone."""
    gold, groups, labels = data.targets("dev"), data.groups("dev"), len(data.labels)
    results: dict[str, Any] = {}
    for name, of_seeds in decisions.items():
        scores = [score(np.eye(labels)[one], gold, PROBLEM_TYPE) for one in of_seeds]
        results[name] = {"scores": {metric: [round(one[metric], 4) for one in scores] for metric in METRICS}}
        if name != "0":
            results[name]["tests"] = {
                metric: vars(paired_test(of_seeds, decisions["0"], gold, metric, num_labels=labels, groups=groups))
                for metric in METRICS
            }
    return results


def table(results: dict[str, Any], command: str) -> str:
    """The scores as Markdown."""
    heads = ["utterances before", *(cell for metric in METRICS for cell in (metric.replace("_", " "), "against 0"))]
    rows = []
    for name, entry in results["settings"].items():
        cells = [name]
        for metric in METRICS:
            cells += [mean_and_spread(entry["scores"][metric])]
            cells += [difference(entry["tests"][metric]) if "tests" in entry else "–"]
        rows.append(cells)
    seeds, texts = ", ".join(map(str, results["seeds"])), results["texts"]
    return (
        f"x 100 on dev ({texts['dev']:,} utterances, {results['dialogues']} dialogues; {texts['train']:,} in train), "
        f"mean ± standard deviation over the seeds {seeds}; difference with its 95 % interval and p-value (bootstrap "
        f"over dialogues and seeds).\n\n{markdown_table(heads, rows)}\n\nCommand: `{command}`\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
