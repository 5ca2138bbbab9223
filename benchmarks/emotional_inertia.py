"""How much the labels of the utterances before say of an utterance: what context can bring by carrying emotions on.

python -m benchmarks.emotional_inertia --data_dir DATA --dataset meld

The labels are gold ones: a model of dialogues has to guess them, so it gains less in this way. What follows which pair
of labels, the last one in the dialogue and the speaker's own last one, is counted on train and scored on dev. No text
is read. With IEMOCAP, `--fold 4` leaves session 5 out.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from datasets import Dataset

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import TaskDataset, check_dialogues, dialogue_rows, load_task_dataset, write_json
from trainers.experiments import markdown_table

from .arguments import RESULTS

# Of an utterance without one before it.
NONE = -1


def last_labels(rows: Dataset) -> np.ndarray:
    """Gold labels of each utterance, of the one before it, and of the one before it by the same speaker.

    Args:
        rows (`Dataset`): Utterances with one label each, in dialogues.

    Returns:
        `np.ndarray` of shape `(utterances, 3)`: Class ids, `NONE` where there is no such utterance.
    """
    labels, speakers = rows["labels"][:], rows["speaker"][:]
    found = np.full((len(labels), 3), NONE)
    for dialogue in dialogue_rows(rows, len(rows)):
        last, own = NONE, dict[str, int]()
        for row in dialogue:
            found[row] = labels[row], last, own.get(speakers[row], NONE)
            last = own[speakers[row]] = labels[row]
    return found


def inertia(data: TaskDataset) -> dict[str, float]:
    """How often emotions are carried on in dev, beside chance, and the accuracy of a table of what follows what.

    Args:
        data ([`TaskDataset`]): Utterances with one label each, in dialogues.
    """
    train, dev = (last_labels(data.splits[split]) for split in ("train", "dev"))
    most = Counter(train[:, 0].tolist()).most_common(1)[0][0]
    figures = {"dialogues": len(set(data.splits["dev"]["dialogue_id"])), "utterances": len(dev)}
    scores: dict[str, float] = {"majority": float((dev[:, 0] == most).mean())}
    for name, column in (("previous", 1), ("own_previous", 2)):
        label, before = dev[dev[:, column] != NONE][:, [0, column]].T
        scores[f"same_as_{name}"] = float((label == before).mean())
        # If the two were independent.
        scores[f"same_as_{name}_by_chance"] = float(
            sum((label == one).mean() * (before == one).mean() for one in np.unique(label))
        )
    following: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    for label, last, own in train.tolist():
        following[last, own][label] += 1
    guesses = [following[last, own].most_common(1)[0][0] if following[last, own] else most for _, last, own in dev]
    scores["table_of_both"] = float((np.array(guesses) == dev[:, 0]).mean())
    return {**figures, **{name: round(score, 4) for name, score in scores.items()}}


def table(name: str, found: dict[str, float]) -> str:
    """The figures as a Markdown table."""

    def percent(key: str) -> str:
        return f"{100 * found[key]:.1f} %"

    rows = [
        ["always the most frequent label", percent("majority")],
        ["the gold label of the utterance before is this one's", percent("same_as_previous")],
        ["... by chance", percent("same_as_previous_by_chance")],
        ["the gold label of the speaker's own utterance before is this one's", percent("same_as_own_previous")],
        ["... by chance", percent("same_as_own_previous_by_chance")],
        ["accuracy of a table of what follows both", percent("table_of_both")],
    ]
    return markdown_table(
        [f"{name}, dev: {found['utterances']:,} utterances, {found['dialogues']} dialogues", ""], rows
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", help="Directory with one subfolder per registered dataset.")
    parser.add_argument("--dataset", default="meld", help="Utterances in dialogues with one label each.")
    parser.add_argument("--fold", type=int, default=0, help="Fold to use as dev.")
    parser.add_argument("--results_dir", default=RESULTS, type=Path, help="Directory for the table.")
    args = parser.parse_args(argv)
    with exit_on("emotional_inertia", *BAD_INPUT):
        data = load_task_dataset(args.dataset, data_dir=args.data_dir, fold=args.fold)
        check_dialogues(data.splits, data.name)
        if data.problem_type != "single_label_classification":
            raise ValueError(f"--dataset {args.dataset} has several labels a text; name data with one, such as meld.")
    found = inertia(data)
    name = f"inertia_{args.dataset}"
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / f"{name}.json", found)
    (args.results_dir / f"{name}.md").write_text(table(args.dataset, found) + "\n", encoding="utf-8")
    print(table(args.dataset, found))


if __name__ == "__main__":
    main()
