"""Whether a common space learns more from texts that its frozen encoder has not seen.

python -m benchmarks.seen_texts --data_dir DATA

A frozen encoder knows the texts that it has learnt from too well: a space that learns from the same texts reads
representations that new texts will not have. Here an emotion encoder learns from one half of the training texts. One
common space on it, with the label loss alone, learns from that half (seen), another from the other half (unseen), which
is as large. A tenth of the texts, in neither half, sets the threshold of each. All of it twice: with representations as
the encoder pools them, and with those of a layer that the encoder has learnt above (`--representation shared`).

Each seed draws its own halves and is a JSON file in --output_dir: a killed command goes on where it was.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import AutoModel, PreTrainedTokenizerBase, set_seed

from modeling_csr import CSRForSequenceClassification, MultitaskForSequenceClassification
from trainers import CSRTrainer, CSRTrainingArguments, MultitaskTrainer, StageTrainer, StageTrainingArguments
from trainers.commands import BAD_INPUT, exit_on, set_up_logging
from trainers.data import TaskDataset, digest, load_task_dataset, load_tokenizer, stratified_folds, write_json
from trainers.evaluation import HEADLINE, decide, holm, paired_test, score
from trainers.experiments import difference, markdown_table, mean_and_spread, title
from trainers.loop import encoder_config, encoder_identity, resolve_encoder

from .arguments import add_data_options, benchmark_parser, command_of
from .report import described, write_table

NAME = "seen_texts"
SYSTEMS = ("encoder", "seen", "unseen")
REPRESENTATIONS = ("pooled", "shared")
TEST_NOTE = (
    "Unseen minus seen, x 100, with its 95 % interval and p (bootstrap over dev texts and paired seeds; in brackets "
    "adjusted by Holm's method for all tests of the table)."
)


@dataclass(frozen=True)
class Outcome:
    """What a system says of the dev texts: its logits and, of several labels, thresholds that were set on others."""

    logits: list[list[float]]
    thresholds: list[float] | None


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, f"outputs/{NAME}")
    add_data_options(parser, ["emotion"])
    args = parser.parse_args(argv)
    set_up_logging()
    with exit_on(NAME, *BAD_INPUT):
        data = load_task_dataset(args.emotion_dataset, data_dir=args.data_dir)
        if data.problem_type == "regression":
            raise ValueError(f"--emotion_dataset {args.emotion_dataset} has scores; the benchmark is about labels.")
        tokenizer = load_tokenizer(resolve_encoder(args.encoder))
    outcomes = {
        kind: [outcomes_of(data, tokenizer, args, kind, seed) for seed in args.seeds] for kind in REPRESENTATIONS
    }
    write_results(outcomes, data, args)


def outcomes_of(
    data: TaskDataset, tokenizer: PreTrainedTokenizerBase, args: argparse.Namespace, kind: str, seed: int
) -> dict[str, Outcome]:
    """What came of each system, from its file if it is there.

    Raises:
        ValueError: If the file is of other texts or another encoder.
    """
    path = args.output_dir / f"{kind}-{seed}.json"
    texts = {split: [rows["text"][:], rows["labels"][:]] for split, rows in data.splits.items()}
    made_from = digest([encoder_identity(args.encoder), data.labels, texts])
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["made_from"] != made_from:
            raise ValueError(f"{path} is of other texts or another encoder: choose another --output_dir.")
        return {system: Outcome(**found["outcomes"][system]) for system in SYSTEMS}
    outcomes = train(data, tokenizer, args.encoder, kind, seed, args.output_dir / f"{kind}-{seed}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"made_from": made_from, "outcomes": {system: asdict(one) for system, one in outcomes.items()}})
    return outcomes


def train(
    data: TaskDataset, tokenizer: PreTrainedTokenizerBase, encoder: str, kind: str, seed: int, folder: Path
) -> dict[str, Outcome]:
    """Train an encoder on half of the texts, and a common space on each half.

    Args:
        data (`TaskDataset`): The texts.
        tokenizer (`PreTrainedTokenizerBase`): The encoder's tokenizer.
        encoder (`str`): The pretrained encoder.
        kind (`str`): One of `REPRESENTATIONS`.
        seed (`int`): Seed of the halves and of the trainings.
        folder (`Path`): Folder of the trainings.
    """
    seen, unseen, rest = halves(data, seed)
    dev = data.splits["dev"].select_columns(["text", "labels"])
    options: dict[str, Any] = {"seed": seed, "save_strategy": "no", "report_to": []}

    set_seed(seed)
    sizes = [encoder_config(encoder).hidden_size] if kind == "shared" else []
    task = {"labels": data.labels, "problem_type": data.problem_type}
    model = MultitaskForSequenceClassification.from_encoder(
        resolve_encoder(encoder),
        {"emotion": task},
        config_kwargs={"shared_layer_sizes": sizes, "representation": kind},
    )
    trainer: StageTrainer = MultitaskTrainer(
        model,
        StageTrainingArguments(output_dir=str(folder / "encoder"), **options),
        train_dataset=seen,
        processing_class=tokenizer,
    )
    trainer.train()
    outcomes = {"encoder": outcome_of(trainer, dev, rest)}
    trainer.save_model()
    for system, half in (("seen", seen), ("unseen", unseen)):
        set_seed(seed)
        space = CSRForSequenceClassification.from_encoders(
            AutoModel.from_pretrained(folder / "encoder"),
            [],
            reconstruction_loss_weight=0.0,
            id2label=model.config.id2label,
            label2id=model.config.label2id,
            problem_type=data.problem_type,
        )
        trainer = CSRTrainer(
            space,
            CSRTrainingArguments(output_dir=str(folder / system), **options),
            train_dataset=half,
            processing_class=tokenizer,
        )
        trainer.train()
        outcomes[system] = outcome_of(trainer, dev, rest)
    return outcomes


def halves(data: TaskDataset, seed: int) -> list[Dataset]:
    """Two halves of the training texts, as large as each other, and a tenth that is in neither. Groups stay whole."""
    parts = stratified_folds(data.targets("train"), 20, seed, data.row_groups("train"))
    rows = data.splits["train"].select_columns(["text", "labels"])
    return [rows.select(np.flatnonzero(parts // 9 == part)) for part in range(3)]


def outcome_of(trainer: StageTrainer, texts: Dataset, others: Dataset) -> Outcome:
    """What a trained model says of texts; the threshold of several labels is set on others."""
    trainer.tune_thresholds("global", others)
    ((logits, _),) = trainer.task_predictions(texts).values()
    (task,) = trainer.tasks.values()
    return Outcome(logits.tolist(), task.get("thresholds"))


def write_results(outcomes: dict[str, list[dict[str, Outcome]]], data: TaskDataset, args: argparse.Namespace) -> None:
    """Write `seen_texts.json` and `seen_texts.md`."""
    gold, kind_of_labels, metrics = data.labelled_targets("dev"), data.problem_type, HEADLINE[data.problem_type]

    def decisions(found: list[dict[str, Outcome]], system: str) -> np.ndarray:
        given = (one[system] for one in found)
        return np.stack([decide(np.array(one.logits), kind_of_labels, one.thresholds) for one in given])

    scores = {
        f"{kind}, {system}": [
            score(np.array(one[system].logits), gold, kind_of_labels, one[system].thresholds) for one in found
        ]
        for kind, found in outcomes.items()
        for system in SYSTEMS
    }
    tests = {
        (kind, metric): paired_test(
            decisions(found, "unseen"),
            decisions(found, "seen"),
            gold,
            metric,
            num_labels=None if gold.ndim == 2 else len(data.labels),
            groups=data.groups("dev"),
            paired_seeds=True,
        )
        for kind, found in outcomes.items()
        for metric in metrics
    }
    adjusted = dict(zip(tests, holm([test.p_bootstrap for test in tests.values()]), strict=True))
    facts = {
        "data": data.name,
        "encoder": args.encoder,
        "seeds": args.seeds,
        "command": command_of(NAME, "--encoder", args.encoder, "--seeds", *args.seeds),
    }
    named = [title(metric) for metric in metrics]
    rows = [
        [setting, *(mean_and_spread([one[metric] for one in found]) for metric in metrics)]
        for setting, found in scores.items()
    ]
    compared = [
        [kind, *(difference(asdict(tests[kind, metric]), adjusted[kind, metric]) for metric in metrics)]
        for kind in outcomes
    ]
    shown = [
        "Dev scores x 100: mean ± standard deviation over the seeds.",
        markdown_table(["representations, texts", *named], rows),
        TEST_NOTE,
        markdown_table(["representations", *named], compared),
        described(facts),
    ]
    results = {
        **facts,
        "scores": {setting: {m: [one[m] for one in found] for m in metrics} for setting, found in scores.items()},
        "tests": [
            {"representation": kind, "metric": metric, "p_holm": adjusted[kind, metric], **asdict(test)}
            for (kind, metric), test in tests.items()
        ],
    }
    write_table(args.results_dir, NAME, results, "\n\n".join(shown) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
