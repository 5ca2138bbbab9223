"""Labels and intensities of BRIGHTER from one model, beside a model of each, on vectors of a frozen encoder.

python -m benchmarks.intensities --data_dir DATA --encoder FOLDER

Each system is a shared layer with one head per task, for all languages with intensities in train. Training texts are
those with both labels (track A) and intensities (track B), and in no dev split: of Amharic, 346 of the dev texts of
track B are in train of track A. A fifth of them chooses thresholds. Every system is scored at both: a probability
counts as an intensity, and an intensity that reaches a threshold as a label.
"""

import sys
from typing import Any

import numpy as np
from scipy.special import expit

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import TaskDataset, load_task_dataset
from trainers.evaluation import paired_test, per_label_scores, score, tune_thresholds
from trainers.experiments import difference, markdown_table, mean_and_spread

from .arguments import benchmark_parser, command_of
from .frozen_vectors import FrozenEncoder
from .report import write_table
from .vector_heads import VectorHeads

NAME = "intensities"
EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
HIGHEST = 3
# Intensities of so many texts a language, where they are fewer than labels.
FEW = 64
MULTI_LABEL = "multi_label_classification"
LABELS = {"labels": list(EMOTIONS), "problem_type": MULTI_LABEL}
INTENSITIES = {"labels": list(EMOTIONS), "problem_type": "regression"}
# For each emotion, whether its intensity is at least 1, 2 and 3.
STEPS = {
    "labels": [f"{emotion} {step}" for emotion in EMOTIONS for step in range(1, HIGHEST + 1)],
    "problem_type": MULTI_LABEL,
}
SYSTEMS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "labels": ("labels alone", {"emotion": LABELS}),
    "intensities": ("intensities alone", {"intensity": INTENSITIES}),
    "both": ("labels and intensities", {"emotion": LABELS, "intensity": INTENSITIES}),
    "steps": ("labels, and intensities as three steps", {"emotion": LABELS, "steps": STEPS}),
    "few": (f"intensities alone, of {FEW} texts a language", {"intensity": INTENSITIES}),
    "both_few": (f"labels, and intensities of {FEW} texts a language", {"emotion": LABELS, "intensity": INTENSITIES}),
}


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/intensities")
    parser.add_argument("--languages", nargs="+", help="Languages (default: all with intensities in train).")
    parser.add_argument("--train_texts", type=int, default=512, help="Training texts of each language, at most.")
    parser.add_argument("--epochs", type=int, default=15, help="Epochs.")
    args = parser.parse_args(argv)
    with exit_on(NAME, *BAD_INPUT):
        tracks = {
            "emotion": load_task_dataset("brighter:all", data_dir=args.data_dir),
            "intensity": load_task_dataset("brighter-intensity:all", data_dir=args.data_dir, regression=True),
        }
        languages = args.languages or sorted(set(tracks["intensity"].splits["train"]["language"][:]))
        texts = AllTexts(tracks, languages, args.train_texts)
    encode = FrozenEncoder(
        args.encoder, args.output_dir / "vectors", "query: ", ("entities", "newlines", "users", "urls"), 128
    )
    vectors = texts.vectors(encode)
    found = {name: run_system(name, texts, vectors, args) for name in SYSTEMS}
    results = {
        "systems": compared(found, texts),
        "languages": {
            name: by_language(scores, texts)
            for name, scores in found.items()
            if name in ("labels", "intensities", "both")
        },
        "texts": {one: [texts.count("train", one), *texts.dev_sizes(one)] for one in languages},
        "seeds": args.seeds,
    }
    command = command_of(NAME, "--encoder FOLDER --train_texts", args.train_texts, "--epochs", args.epochs)
    write_table(args.results_dir, NAME, results, table(results, command))


class AllTexts:
    """
    The texts of both tracks as rows: those of train first, each with labels and intensities, then those of dev.

    Args:
        tracks (`dict[str, TaskDataset]`): Data by task.
        languages (`list[str]`): The languages to take.
        size (`int`): Training texts of each language, at most.

    Raises:
        ValueError: If a language has no training texts with both.
    """

    def __init__(self, tracks: dict[str, TaskDataset], languages: list[str], size: int) -> None:
        columns = {
            (task, split): _by_text(data, split, languages)
            for task, data in tracks.items()
            for split in ("train", "dev")
        }
        held_out = {key for (_, split), rows in columns.items() if split == "dev" for key in rows}
        emotion, intensity = columns["emotion", "train"], columns["intensity", "train"]
        shared = [key for key in emotion if key in intensity and key not in held_out]
        self.keys: list[tuple[str, str]] = []
        for language in languages:
            of_language = [key for key in shared if key[0] == language]
            if not of_language:
                raise ValueError(f"--languages {language}: no training text has both labels and intensities.")
            drawn = np.random.default_rng(42).permutation(len(of_language))[:size]
            self.keys += [of_language[row] for row in drawn]
        self.train = np.arange(len(self.keys))
        self.train_labels = {
            task: np.stack([rows[key] for key in self.keys])
            for task, rows in (("emotion", emotion), ("intensity", intensity))
        }
        self.dev, self.dev_labels = {}, {}
        for task in tracks:
            rows = columns[task, "dev"]
            self.dev[task] = np.arange(len(self.keys), len(self.keys) + len(rows))
            self.dev_labels[task] = np.stack(list(rows.values()))
            self.keys += list(rows)
        self.languages = np.array([language for language, _ in self.keys])

    def vectors(self, encode: FrozenEncoder) -> np.ndarray:
        """Vectors of all rows, centred at the mean of the language's training texts."""
        vectors = encode([text for _, text in self.keys])
        for language in np.unique(self.languages):
            rows = self.languages == language
            vectors[rows] -= vectors[self.train][self.languages[self.train] == language].mean(axis=0)
        return vectors

    def count(self, part: str, language: str) -> int:
        rows = self.train if part == "train" else self.dev[part]
        return int((self.languages[rows] == language).sum())

    def dev_sizes(self, language: str) -> list[int]:
        return [self.count(task, language) for task in self.dev]

    def by_language(self, values: np.ndarray, task: str) -> np.ndarray:
        """Values `(..., dev texts, 6)` as `(..., dev texts, languages x 6)`, which counts each language's emotions as
        outputs of their own, so that means over outputs are means over languages; 0 elsewhere."""
        of_rows = self.languages[self.dev[task]]
        return np.concatenate([np.where((of_rows == one)[:, None], values, 0.0) for one in np.unique(of_rows)], axis=-1)

    def references(self, task: str) -> np.ndarray:
        """Gold values in that form; NaN elsewhere."""
        of_rows = self.languages[self.dev[task]]
        blocks = [np.where((of_rows == one)[:, None], self.dev_labels[task], np.nan) for one in np.unique(of_rows)]
        return np.concatenate(blocks, axis=-1)


def _by_text(data: TaskDataset, split: str, languages: list[str]) -> dict[tuple[str, str], np.ndarray]:
    """Labels of each text by language and words; a repeated text counts once."""
    rows = data.splits[split]
    keys = zip(rows["language"][:], rows["text"][:], strict=True)
    return {key: labels for key, labels in zip(keys, data.targets(split), strict=True) if key[0] in languages}


def run_system(name: str, texts: AllTexts, vectors: np.ndarray, args: Any) -> dict[str, np.ndarray]:
    """Decisions and intensities on dev, `(seeds, texts, 6)` each."""
    tasks = SYSTEMS[name][1]
    heads = VectorHeads(
        vectors, tasks, vectors.shape[1], args.output_dir, args.epochs, learning_rate=1e-3, batch_size=64
    )
    found: dict[str, list[np.ndarray]] = {"emotion": [], "intensity": []}
    for seed in args.seeds:
        order = np.random.default_rng(seed).permutation(len(texts.train))
        kept, learnt = np.split(order, [len(order) // 5])
        intensities = texts.train_labels["intensity"][learnt]
        if name in ("few", "both_few"):
            intensities = np.where(_first(texts.languages[texts.train][learnt], FEW)[:, None], intensities, np.nan)
        steps = (intensities[:, :, None] > np.arange(HIGHEST)).reshape(len(learnt), -1).astype(np.float32)
        rows = learnt if name != "few" else learnt[~np.isnan(intensities[:, 0])]
        labels = {"emotion": texts.train_labels["emotion"][learnt], "intensity": intensities, "steps": steps}
        if name == "few":
            labels = {task: values[~np.isnan(intensities[:, 0])] for task, values in labels.items()}
        model = heads.train(texts.train[rows], labels, seed)
        on_kept = outputs(heads.logits(model, texts.train[kept]))
        thresholds = tune_thresholds(on_kept["emotion"], texts.train_labels["emotion"][kept], "per_label")
        for task in found:
            scores = outputs(heads.logits(model, texts.dev[task]))[task]
            found[task].append(scores >= np.array(thresholds) if task == "emotion" else scores)
    return {task: np.stack(values).astype(np.float64) for task, values in found.items()}


def _first(languages: np.ndarray, size: int) -> np.ndarray:
    """Whether a row is among the first ones of its language."""
    kept = np.zeros(len(languages), bool)
    for language in np.unique(languages):
        kept[np.flatnonzero(languages == language)[:size]] = True
    return kept


def outputs(logits: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of each emotion, what is thresholded and what counts as its intensity, whichever heads there are."""
    probabilities = expit(logits["emotion"].astype(np.float64)) if "emotion" in logits else None
    intensities = logits["intensity"].astype(np.float64) if "intensity" in logits else None
    if "steps" in logits:
        reached = expit(logits["steps"].astype(np.float64)).reshape(-1, len(EMOTIONS), HIGHEST)
        intensities = reached.sum(axis=-1)
    if probabilities is None:
        probabilities = np.clip(intensities / HIGHEST, 0.0, 1.0)
    return {"emotion": probabilities, "intensity": probabilities if intensities is None else intensities}


def compared(found: dict[str, dict[str, np.ndarray]], texts: AllTexts) -> dict[str, Any]:
    """Scores by seed, and tests of each system against labels alone and against intensities alone."""
    results: dict[str, Any] = {}
    for task, metric, baseline in (("emotion", "macro_f1", "labels"), ("intensity", "pearson", "intensities")):
        gold = texts.references(task)
        spread = {name: texts.by_language(scores[task], task) for name, scores in found.items()}
        problem_type = MULTI_LABEL if task == "emotion" else "regression"
        for name, values in spread.items():
            entry = results.setdefault(name, {})
            entry[metric] = [round(_score(one, gold, problem_type)[metric], 4) for one in values]
            if name != baseline:
                test = paired_test(values, spread[baseline], gold, metric, paired_seeds=True)
                entry[f"{metric}_test"] = vars(test)
    return results


def _score(values: np.ndarray, gold: np.ndarray, problem_type: str) -> dict[str, float]:
    # Decisions as logits on either side of the threshold.
    return score(values - 0.5 if problem_type == MULTI_LABEL else values, gold, problem_type)


def by_language(found: dict[str, np.ndarray], texts: AllTexts) -> dict[str, Any]:
    """Means over the seeds by language: macro F1, Pearson's r, and Pearson's r of each emotion."""
    scores: dict[str, Any] = {}
    for task, metric in (("emotion", "macro_f1"), ("intensity", "pearson")):
        of_rows, gold = texts.languages[texts.dev[task]], texts.dev_labels[task]
        problem_type = MULTI_LABEL if task == "emotion" else "regression"
        for language in np.unique(of_rows):
            rows = of_rows == language
            entry = scores.setdefault(str(language), {})
            each = [_score(values[rows], gold[rows], problem_type)[metric] for values in found[task]]
            entry[metric] = float(np.mean(each))
            if task == "intensity":
                of_seeds = [
                    per_label_scores(values[rows], gold[rows], EMOTIONS, problem_type) for values in found[task]
                ]
                entry["per_emotion"] = {
                    emotion: float(np.mean([one[emotion]["pearson"] for one in of_seeds])) for emotion in EMOTIONS
                }
    return scores


def table(results: dict[str, Any], command: str) -> str:
    """The scores as Markdown: systems, then languages, then emotions."""
    rows: list[list[str]] = []
    for name, entry in results["systems"].items():
        cells = [SYSTEMS[name][0]]
        for metric in ("macro_f1", "pearson"):
            test = entry.get(f"{metric}_test")
            cells += [mean_and_spread(entry[metric]), difference(test) if test else "–"]
        rows.append(cells)
    heads = [
        "learnt from",
        "labels, macro F1",
        "against labels alone",
        "intensities, Pearson's r",
        "against intensities alone",
    ]
    parts = [
        "x 100 on dev, over emotions and then over languages; mean ± standard deviation over the seeds "
        f"{', '.join(map(str, results['seeds']))}; difference with its 95 % interval and p-value (bootstrap over texts "
        "and seeds).",
        markdown_table(heads, rows),
    ]
    of = results["languages"]
    rows = []
    for language, sizes in results["texts"].items():
        cells = [language, *map(str, sizes)]
        for metric, alone in (("macro_f1", "labels"), ("pearson", "intensities")):
            cells += [f"{100 * of[name][language][metric]:.1f}" for name in (alone, "both")]
        rows.append([*cells, *(f"{100 * r:.0f}" for r in of["both"][language]["per_emotion"].values())])
    heads = ["language", "train", "dev A", "dev B", "F1, labels alone", "F1, both", "r, intensities alone", "r, both"]
    parts += [
        "By language; in the columns of emotions, Pearson's r of the model of both:",
        markdown_table([*heads, *EMOTIONS], rows),
        f"Command: `{command}`",
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
