"""Emotions across the languages of BRIGHTER, on frozen representations of a multilingual encoder.

python -m benchmarks.languages --data_dir DATA --encoder FOLDER

The frozen encoder reads each text once. Its vectors are cached in `--output_dir`, and so is each finished setting: a
killed run goes on where it was. Settings: a logistic regression for each language; one common space for all of them; a
space trained without a language, scored there with no label of it, with 50 and with 500; one trained on English alone.
Thresholds are chosen on training texts that the scored model did not learn from. Dev is read for the scores only.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import KFold
from transformers import BertConfig, set_seed

from modeling_csr import CSRConfig, CSRForSequenceClassification, MultitaskConfig
from trainers import CSRTrainer, CSRTrainingArguments, RepresentationDataset
from trainers.commands import BAD_INPUT, exit_on
from trainers.data import TaskDataset, load_task_dataset, write_json
from trainers.experiments import markdown_table

from .arguments import benchmark_parser, command_of
from .brighter_emotions import EMOTIONS, english_targets, paired_over_languages
from .frozen_vectors import FrozenEncoder
from .joint_regression import joint_regression
from .report import write_table
from .vector_regression import FOLDS, MULTI_LABEL, Texts, choose, macro_f1, regression_score

NAME = "languages"
SETTINGS = {
    "own": "logistic regression on the language's own texts",
    "all": "one common space for all languages",
    "joint": "one linear model for all languages: shared weights and a correction for each language",
    "english": "a space of English texts (E-c, GoEmotions), no label of the language",
    "others_0": "a space of other languages, no label of the language",
    "others_50": "that space, and 50 labels of the language",
    "others_500": "that space, and 500 labels of the language (or all that there are)",
}


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/languages")
    parser.add_argument("--languages", nargs="+", help="Languages (default: all whose files are there).")
    parser.add_argument("--train_texts", type=int, default=512, help="Training texts of each language, at most.")
    parser.add_argument("--source_texts", type=int, default=2048, help="Texts of each English source, at most.")
    args = parser.parse_args(argv)
    with exit_on(NAME, *BAD_INPUT):
        brighter = load_task_dataset("brighter:all", data_dir=args.data_dir)
        english = {name: load_task_dataset(name, data_dir=args.data_dir) for name in ("semeval2018-ec", "goemotions")}
    encode = FrozenEncoder(
        args.encoder, args.output_dir / "vectors", "query: ", ("entities", "newlines", "users", "urls"), 128
    )
    train, dev = by_language(brighter, encode, args.train_texts, args.languages)
    done = Settings(args.output_dir, {name: value for name, value in vars(args).items() if "_dir" not in name})
    for name, run in {
        "own": lambda: own_regressions(train, dev),
        "all": lambda: one_space(train, dev, args.seeds, args.output_dir),
        "joint": lambda: {"joint": joint_regression(train, dev)},
        "others": lambda: from_others(train, dev, args.seeds[0], args.output_dir),
        "english": lambda: from_english(
            [english_texts(data, encode, args.source_texts) for data in english.values()],
            dev,
            args.seeds[0],
            args.output_dir,
        ),
    }.items():
        done.run(name, run)
    counts = {language: (len(train[language].targets), len(dev[language].targets)) for language in train}
    results = {"scores": done.scores(), "seconds": done.seconds(), "texts": counts, "seeds": args.seeds}
    command = command_of(NAME, "--encoder FOLDER --train_texts", args.train_texts, "--source_texts", args.source_texts)
    write_table(args.results_dir, NAME, results, table(results, command))


class Settings:
    """Results of settings, each kept in a file as soon as there are any."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self.path = folder / "settings.json"
        kept = json.loads(self.path.read_text(encoding="utf-8")) if self.path.is_file() else {}
        options = json.loads(json.dumps(options, default=str))
        self.found: dict[str, Any] = kept if kept.get("options") == options else {"options": options}

    def run(self, name: str, measure: Callable[[], dict[str, dict[str, Any]]]) -> None:
        """Measure a setting, unless that is done."""
        if name in self.found:
            return
        started = time.perf_counter()
        scores = measure()
        self.found[name] = {"scores": scores, "seconds": round(time.perf_counter() - started)}
        write_json(self.path, self.found)

    def scores(self) -> dict[str, dict[str, Any]]:
        """By setting and language, macro F1, or a list with one per seed."""
        return {key: value for run in self._runs() for key, value in run["scores"].items()}

    def seconds(self) -> dict[str, int]:
        return {name: run["seconds"] for name, run in self.found.items() if name != "options"}

    def _runs(self) -> list[dict[str, Any]]:
        return [run for name, run in self.found.items() if name != "options"]


def by_language(
    data: TaskDataset, encode: FrozenEncoder, size: int, languages: list[str] | None
) -> tuple[dict[str, Texts], dict[str, Texts]]:
    """Train and dev by language. Vectors are centred at the mean of the language's training texts, which takes no
    labels, and scaled alike in all languages."""
    found: dict[str, dict[str, Texts]] = {"train": {}, "dev": {}}
    for split, parts in found.items():
        of_rows = np.asarray(data.splits[split]["language"][:])
        targets = data.targets(split)
        for language in languages or list(dict.fromkeys(of_rows.tolist())):
            rows = np.flatnonzero(of_rows == language)
            if split == "train":
                # Samples with the same seed are nested, and so are the files of their vectors.
                rows = rows[np.random.default_rng(42).permutation(len(rows))[:size]]
            parts[language] = Texts(encode(data.splits[split].select(rows)["text"][:]), targets[rows])
    means = {language: texts.vectors.mean(axis=0) for language, texts in found["train"].items()}
    scale = np.concatenate([texts.vectors - means[one] for one, texts in found["train"].items()]).std(axis=0)
    train, dev = (
        {one: Texts((texts.vectors - means[one]) / scale, texts.targets) for one, texts in parts.items()}
        for parts in found.values()
    )
    return train, dev


def english_texts(data: TaskDataset, encode: FrozenEncoder, size: int) -> Texts:
    """English texts with BRIGHTER's emotions."""
    rows = np.random.default_rng(42).permutation(len(data.splits["train"]))[:size]
    vectors = encode(data.splits["train"].select(rows)["text"][:])
    return Texts((vectors - vectors.mean(axis=0)) / vectors.std(axis=0), english_targets(data)[rows])


def own_regressions(train: dict[str, Texts], dev: dict[str, Texts]) -> dict[str, dict[str, Any]]:
    """A logistic regression per language and emotion, with out-of-fold thresholds."""
    return {"own": {language: regression_score(train[language], dev[language]) for language in train}}


def one_space(
    train: dict[str, Texts], dev: dict[str, Texts], seeds: list[int], folder: Path
) -> dict[str, dict[str, Any]]:
    """One common space for all languages, once per seed; thresholds are out-of-fold, for each language."""
    texts = Texts.joined(list(train.values()))
    owners = np.concatenate([[language] * len(part.targets) for language, part in train.items()])
    logits = np.zeros_like(texts.targets)
    for learnt, held_out in KFold(FOLDS, shuffle=True, random_state=0).split(owners):
        logits[held_out] = predict(train_space(texts[learnt], seeds[0], folder), texts[held_out])
    thresholds = {one: choose(logits[owners == one], texts.targets[owners == one]) for one in train}
    scores: dict[str, list[float]] = {language: [] for language in train}
    for seed in seeds:
        model = train_space(texts, seed, folder)
        for language, part in dev.items():
            scores[language].append(macro_f1(predict(model, part), part.targets, thresholds[language]))
    return {"all": scores}


def from_english(sources: list[Texts], dev: dict[str, Texts], seed: int, folder: Path) -> dict[str, dict[str, Any]]:
    """A space of English texts, of which a fifth is kept for thresholds."""
    model, thresholds = space_and_thresholds(Texts.joined(sources), seed, folder)
    return {"english": {one: macro_f1(predict(model, part), part.targets, thresholds) for one, part in dev.items()}}


def from_others(train: dict[str, Texts], dev: dict[str, Texts], seed: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Spaces trained without a third of the languages at a time, and scored there."""
    languages = np.random.default_rng(0).permutation(sorted(train))
    scores: dict[str, dict[str, Any]] = {"others_0": {}, "others_50": {}, "others_500": {}}
    for left_out in np.array_split(languages, min(3, len(languages))):
        rest = Texts.joined([texts for language, texts in train.items() if language not in left_out])
        model, thresholds = space_and_thresholds(rest, seed, folder)
        for language in left_out.tolist():
            texts, part = train[language], dev[language]
            scores["others_0"][language] = macro_f1(predict(model, part), part.targets, thresholds)
            in_space, dev_in_space = common_space(model, texts), common_space(model, part)
            for size in (50, 500):
                scores[f"others_{size}"][language] = regression_score(in_space[:size], dev_in_space)
    return {name: dict(sorted(by_one.items())) for name, by_one in scores.items()}


def train_space(texts: Texts, seed: int, folder: Path) -> CSRForSequenceClassification:
    """A common space over frozen vectors, with a classifier."""
    set_seed(seed)
    size = texts.vectors.shape[1]
    # The encoder has read the texts already; a small one of the same width takes its place.
    stand_in = BertConfig(
        vocab_size=8,
        hidden_size=size,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=8,
    )
    config = CSRConfig(
        emotion_encoder=MultitaskConfig(
            encoder=stand_in, tasks={"emotion": {"labels": list(EMOTIONS), "problem_type": MULTI_LABEL}}
        ),
        source_encoders=[],
        common_size=2 * size // 3,
        intermediate_size=size,
        classifier_dropout=0.2,
        reconstruction_loss_weight=0.0,
        id2label=dict(enumerate(EMOTIONS)),
    )
    args = CSRTrainingArguments(
        output_dir=str(folder / "trainer"),
        seed=seed,
        learning_rate=2e-3,
        weight_decay=0.01,
        num_train_epochs=8,
        per_device_train_batch_size=512,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    model = CSRForSequenceClassification(config)
    CSRTrainer(model, args, train_dataset=RepresentationDataset(texts.vectors, [], texts.targets)).train()
    return model.eval()


def space_and_thresholds(texts: Texts, seed: int, folder: Path) -> tuple[CSRForSequenceClassification, list[float]]:
    """A space, and thresholds chosen on a fifth of the texts that it does not learn from."""
    rows = np.random.default_rng(seed).permutation(len(texts.targets))
    kept, learnt = np.split(rows, [len(rows) // 5])
    model = train_space(texts[learnt], seed, folder)
    return model, choose(predict(model, texts[kept]), texts.targets[kept])


@torch.inference_mode()
def predict(model: CSRForSequenceClassification, texts: Texts) -> np.ndarray:
    """Logits `(texts, 6)`."""
    return model(emotion_representation=torch.from_numpy(texts.vectors)).logits.numpy()


@torch.inference_mode()
def common_space(model: CSRForSequenceClassification, texts: Texts) -> Texts:
    """The same texts, in the common space."""
    output = model.csr(emotion_representation=torch.from_numpy(texts.vectors), output_reconstruction=False)
    return Texts(output.common_space.numpy(), texts.targets)


def table(results: dict[str, Any], command: str) -> str:
    """The scores as Markdown."""
    scores = {
        name: {one: float(np.mean(value)) for one, value in found.items()} for name, found in results["scores"].items()
    }
    languages = sorted(scores["own"])
    rows: list[list[Any]] = []
    for language in languages:
        train, dev = results["texts"][language]
        rows.append([language, train, dev, *(f"{100 * scores[name][language]:.1f}" for name in SETTINGS)])
    means = {name: np.mean([scores[name][language] for language in languages]) for name in SETTINGS}
    rows.append(["mean", "", "", *(f"**{100 * means[name]:.1f}**" for name in SETTINGS)])
    lines = [
        "Macro F1 x 100 on dev over the emotions that the language has; `all` is the mean of the seeds.",
        "",
        markdown_table(["language", "train", "dev", *(name.replace("_", " ") for name in SETTINGS)], rows),
        "",
        *(f"- {name.replace('_', ' ')}: {what}" for name, what in SETTINGS.items()),
    ]
    for first, second in (("all", "own"), ("joint", "own"), ("others_50", "others_0"), ("others_0", "english")):
        pair = f"{first} against {second}".replace("_", " ")
        lines.append(f"- {pair}: {paired_over_languages(scores[first], scores[second])}")
    by_seed = np.array([results["scores"]["all"][one] for one in languages]).mean(axis=0)
    lines += [
        f"- all, mean over languages by seed: {', '.join(f'{100 * value:.1f}' for value in by_seed)}",
        f"- seconds, without encoding: {', '.join(f'{name} {value}' for name, value in results['seconds'].items())}",
        f"- command: {command}",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
