"""Fine-tune a multilingual encoder on BRIGHTER: one model for all languages, and others beside it.

python -m benchmarks.language_finetuning --data_dir DATA --encoder FOLDER

Settings: one model of all languages' training texts; a model for each language; models that have seen no label of the
language they are scored in. A tenth of the training texts is held out for the thresholds, one for each emotion, so that
dev is read for the scores only. Each trained model's scores are kept in `--output_dir`: a killed run goes on where it
was, and several commands, each with some of the settings, seeds or languages, may share the work.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from transformers import PreTrainedTokenizerBase, set_seed

from modeling_csr import MultitaskForSequenceClassification
from trainers import MultitaskTrainer, StageTrainingArguments
from trainers.commands import BAD_INPUT, exit_on
from trainers.data import TaskDataset, load_task_dataset, load_tokenizer, write_json
from trainers.evaluation import predict_logits
from trainers.experiments import markdown_table

from .arguments import benchmark_parser, command_of
from .brighter_emotions import EMOTIONS, english_targets, paired_over_languages
from .report import write_table
from .vector_regression import MULTI_LABEL, choose, macro_f1

NAME = "language_finetuning"
SETTINGS = {
    "own": "a model for each language",
    "all": "one model for all languages",
    "others": "models of other languages, no label of the language: a third of the languages at a time",
    "english": "a model of English texts (E-c, GoEmotions), no label of the language",
}
STEPS = ("entities", "newlines", "users", "urls")


@dataclass(frozen=True)
class Part:
    """What one model learns from, and the languages that it is scored in."""

    name: str
    train: datasets.Dataset
    languages: list[str]
    epochs: float


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/language_finetuning")
    parser.add_argument("--languages", nargs="+", help="Languages (default: all whose files are there).")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS), help="Settings to train.")
    parser.add_argument(
        "--learning_rate", type=float, default=1e-4, help="Of the encoder; heads learn ten times as fast."
    )
    parser.add_argument("--epochs", type=float, default=5, help="Epochs of models of several languages.")
    parser.add_argument("--own_epochs", type=float, default=10, help="Epochs of models of one language.")
    parser.add_argument("--train_texts", type=int, help="Training texts of each language and source, at most.")
    args = parser.parse_args(argv)
    with exit_on(NAME, *BAD_INPUT):
        brighter = load_task_dataset("brighter:all", data_dir=args.data_dir)
        names = ("semeval2018-ec", "goemotions") if "english" in args.settings else ()
        english = [load_task_dataset(name, data_dir=args.data_dir) for name in names]
    found = np.asarray(brighter.splits["dev"]["language"][:])
    languages = args.languages or list(dict.fromkeys(found.tolist()))
    dev = {one: brighter.splits["dev"].select(np.flatnonzero(found == one)) for one in languages}
    tokenizer = load_tokenizer(args.encoder, STEPS, 128)
    args.output_dir.mkdir(parents=True, exist_ok=True)
    for setting in args.settings:
        for seed in args.seeds:
            for part in parts_of(setting, brighter, english, languages, args):
                path = args.output_dir / f"{setting}-{part.name}-{seed}.json"
                if not path.is_file():
                    scored = {one: dev[one] for one in part.languages}
                    write_json(path, train_and_score(part, scored, tokenizer, seed, args))
    results = collect(args.output_dir, languages)
    if "all" not in results["scores"] or "own" not in results["scores"]:
        return
    command = command_of(NAME, "--encoder FOLDER")
    write_table(args.results_dir, NAME, results, table(results, command))


def parts_of(
    setting: str, brighter: TaskDataset, english: list[TaskDataset], languages: list[str], args: Any
) -> Iterator[Part]:
    """The models of a setting."""
    rows = rows_of(brighter, brighter.targets("train"))
    owners = np.asarray(brighter.splits["train"]["language"][:])
    by_language = {one: rows.select(sample(np.flatnonzero(owners == one), args.train_texts)) for one in languages}
    if setting == "own":
        for one, texts in by_language.items():
            yield Part(one, texts, [one], args.own_epochs)
    elif setting == "all":
        yield Part("all", datasets.concatenate_datasets(list(by_language.values())), languages, args.epochs)
    elif setting == "others":
        shuffled = np.random.default_rng(0).permutation(sorted(languages))
        for number, left_out in enumerate(np.array_split(shuffled, min(3, len(languages)))):
            rest = [texts for one, texts in by_language.items() if one not in left_out]
            yield Part(str(number), datasets.concatenate_datasets(rest), left_out.tolist(), args.epochs)
    else:
        sources = [rows_of(data, english_targets(data)) for data in english]
        some = [texts.select(sample(np.arange(len(texts)), args.train_texts)) for texts in sources]
        # Two sources that are twice as large as the rest need half the epochs.
        yield Part("english", datasets.concatenate_datasets(some), languages, args.epochs / 2)


def rows_of(data: TaskDataset, targets: np.ndarray) -> datasets.Dataset:
    """Training texts with BRIGHTER's emotions."""
    return datasets.Dataset.from_dict({"text": data.splits["train"]["text"][:], "labels": targets.tolist()})


def sample(rows: np.ndarray, size: int | None) -> np.ndarray:
    """At most `size` of the rows, at random; smaller samples are parts of larger ones."""
    return np.random.default_rng(42).permutation(rows)[:size]


def train_and_score(
    part: Part, dev: Mapping[str, datasets.Dataset], tokenizer: PreTrainedTokenizerBase, seed: int, args: Any
) -> dict[str, Any]:
    """Fine-tune a model, choose its thresholds on texts that were held out, and score it on dev.

    Returns:
        `dict`: `scores` (macro F1 by language), `texts` (learnt from, by language of a part of one), `seconds`.
    """
    set_seed(seed)
    rows = np.random.default_rng(seed).permutation(len(part.train))
    held_out, learnt = (part.train.select(some) for some in np.split(rows, [len(rows) // 10]))
    task = {"labels": list(EMOTIONS), "problem_type": MULTI_LABEL}
    model = MultitaskForSequenceClassification.from_encoder(args.encoder, {"emotion": task})
    training = StageTrainingArguments(
        output_dir=str(args.output_dir / "trainer" / f"{part.name}-{seed}"),
        seed=seed,
        learning_rate=args.learning_rate,
        head_learning_rate=10 * args.learning_rate,
        num_train_epochs=part.epochs,
        per_device_train_batch_size=32 if len(part.languages) == 1 else 64,
        warmup_steps=0.1,
        eval_strategy="no",
        save_strategy="no",
        report_to=[],
    )
    started = time.perf_counter()
    MultitaskTrainer(model, training, train_dataset=learnt, processing_class=tokenizer).train()
    seconds = time.perf_counter() - started
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def logits(texts: datasets.Dataset) -> np.ndarray:
        return predict_logits(model, tokenizer, texts["text"][:], device=device)

    thresholds = choose(logits(held_out), np.asarray(held_out["labels"][:]))
    scores = {one: macro_f1(logits(texts), np.asarray(texts["labels"][:]), thresholds) for one, texts in dev.items()}
    return {"scores": scores, "texts": len(learnt), "seconds": round(seconds, 1)}


def collect(folder: Path, languages: list[str]) -> dict[str, Any]:
    """Scores by setting and language, a list with one per seed, of the settings that are finished; and seconds."""
    scores: dict[str, dict[str, list[float]]] = {}
    seconds: dict[str, float] = {}
    for setting in SETTINGS:
        runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob(f"{setting}-*-*.json"))]
        found: dict[str, list[float]] = {one: [] for one in languages}
        for run in runs:
            for one in set(run["scores"]) & set(languages):
                found[one].append(run["scores"][one])
        if all(found.values()):
            scores[setting] = found
            seconds[setting] = round(sum(run["seconds"] for run in runs))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return {"scores": scores, "seconds": seconds, "device": device}


def table(results: Mapping[str, Any], command: str) -> str:
    """The scores as Markdown."""
    scores = {
        name: {one: float(np.mean(values)) for one, values in found.items()}
        for name, found in results["scores"].items()
    }
    languages = sorted(scores["all"])
    rows: list[list[Any]] = [[one, *(f"{100 * found[one]:.1f}" for found in scores.values())] for one in languages]
    rows.append(["mean", *(f"**{100 * np.mean(list(found.values())):.1f}**" for found in scores.values())])
    pairs = [pair for pair in (("all", "own"), ("others", "english")) if set(pair) <= set(scores)]
    return "\n".join(
        [
            "Macro F1 x 100 on dev over the emotions that the language has; the mean of the seeds.",
            "",
            markdown_table(["language", *scores], rows),
            "",
            *(f"- {name}: {SETTINGS[name]}" for name in scores),
            *(f"- {one} against {other}: {paired_over_languages(scores[one], scores[other])}" for one, other in pairs),
            *(f"- {name}, mean over languages by seed: {by_seed(found)}" for name, found in results["scores"].items()),
            f"- seconds of training, on {results['device']}: "
            + ", ".join(f"{name} {value}" for name, value in results["seconds"].items()),
            f"- command: {command}",
            "",
        ]
    )


def by_seed(found: Mapping[str, list[float]]) -> str:
    """The mean over languages of each seed."""
    return ", ".join(f"{100 * np.mean(values):.1f}" for values in zip(*found.values(), strict=True))


if __name__ == "__main__":
    main(sys.argv[1:])
