"""`csr-emotion evaluate`: score a classifier on a split of a dataset."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer

from ..data import ROWS_WITHOUT_LABELS, UNLABELLED_ROWS, TaskDataset, is_labelled, write_json
from ..dialogue_trainer import predict_dialogue_logits
from ..evaluation import (
    HEADLINE,
    check_max_length,
    decide,
    label_names,
    language_scores,
    load_classifier,
    load_config,
    per_label_scores,
    predict_logits,
    probability_scores,
    score,
)
from ..runs import check_context, check_ranges, read_in_context, verbatim
from .dataset_options import add_dataset_options, load_for_model
from .terminal import BAD_INPUT, exit_on, set_up_logging

DESCRIPTION = "Evaluate a classifier on a split of a dataset, at its own decision thresholds."


def evaluation_parser() -> argparse.ArgumentParser:
    """Parser of the command's options."""
    parser = argparse.ArgumentParser(
        "csr-emotion evaluate",
        description=DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("model", help="Hub id or folder of a sequence classifier.")
    parser.add_argument("--dataset", required=True, help="A registered name, a file, a folder or a Hub dataset id.")
    parser.add_argument("--task", help="Task of a model of several tasks, such as intensity (default: its main task).")
    parser.add_argument(
        "--split",
        default="dev",
        help="The split to score: train, dev or test. Of a single file, dev is the part that a training on it holds "
        "out, and test is all of it.",
    )
    add_dataset_options(
        parser,
        UNLABELLED_ROWS,
        "The same for rows without a label; in dialogues, context keeps them to be read but not scored.",
    )
    parser.add_argument(
        "--context_turns", type=int, default=0, help="That of the training, for a model that was trained with it."
    )
    parser.add_argument(
        "--labels", nargs="+", help="Use only these labels of multi-label data, such as those of the model."
    )
    parser.add_argument(
        "--rows_without_labels",
        default="keep",
        choices=ROWS_WITHOUT_LABELS,
        help="What to do with texts that have none of --labels: keep or drop them.",
    )
    parser.add_argument("--output_file", help="File for the scores, as JSON.")
    parser.add_argument("--threshold", type=float, help="One threshold for all labels, instead of the model's own.")
    parser.add_argument(
        "--max_length", type=int, help="Cut longer texts to this number of tokens (default: the model's own limit)."
    )
    parser.add_argument("--batch_size", type=int, help="Texts per batch (default: 32 on a CPU, else 128).")
    parser.add_argument("--trust_remote_code", action="store_true", help="Run the code in the model's repository.")
    return parser


def config_of_task(config: Any, task: str) -> Any:
    """The configuration of a model of several tasks, with another main task.

    Raises:
        ValueError: If the model does not have the task.
    """
    tasks = getattr(config, "tasks", None) or {}
    if task not in tasks:
        there = f"the tasks {', '.join(tasks)}" if tasks else "a single one"
        raise ValueError(f"--task {task}: the model has {there}.")
    return type(config).from_dict(config.to_dict(), main_task=task)


def check_threshold(dataset: TaskDataset, threshold: float | None) -> None:
    """Check that a threshold is given for multi-label data only.

    Raises:
        ValueError: If it is not.
    """
    if threshold is not None and dataset.problem_type != "multi_label_classification":
        raise ValueError(f"--threshold is for several labels a text; {dataset.name} has a single one.")


def check_output_file(path: str | None) -> None:
    """Check that a file can be written before there is anything to write.

    Raises:
        OSError: If its folder is not there, or it is a folder itself.
    """
    if path is None:
        return
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"--output_file {path}: there is no folder {folder}. Create it first.")
    if Path(path).is_dir():
        raise IsADirectoryError(f"--output_file {path} is a folder: name a file in it.")


def run_evaluation(argv: Sequence[str]) -> dict[str, Any]:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.

    Returns:
        `dict`: Scores, overall, `per_label` and, where the data name languages, `per_language`, with `dataset`,
        `split`, the number of `texts` and, if there are any, the `skipped_rows` with their reasons.
    """
    args = evaluation_parser().parse_args(list(argv))
    set_up_logging()
    with exit_on("csr-emotion evaluate", *BAD_INPUT):
        check_ranges(vars(args))
        check_output_file(args.output_file)
        config = load_config(args.model, trust_remote_code=args.trust_remote_code)
        if args.task is not None:
            config = config_of_task(config, args.task)
        model_labels = label_names(config)
        dataset = load_for_model(args, config, (args.split,), args.labels, args.rows_without_labels)
        check_threshold(dataset, args.threshold)
        chosen = {} if args.task is None else {"config": config}
        model = load_classifier(args.model, trust_remote_code=args.trust_remote_code, **chosen)
        check_max_length(model, args.max_length)
        tokenizer = AutoTokenizer.from_pretrained(args.model)
        if args.context_turns:
            check_context(dataset, args.unlabelled_rows)
            dataset = read_in_context(dataset, args.context_turns, tokenizer.sep_token or "|")
        elif config.model_type == "dialogue" and dataset.info and dataset.info.has_context:
            check_context(dataset, args.unlabelled_rows)
        rows, labels = dataset.splits[args.split], dataset.targets(args.split)
    max_length = args.max_length or min(tokenizer.model_max_length, 512)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options = {"max_length": max_length, "batch_size": args.batch_size, "device": device}
    if model.config.model_type == "dialogue" and "dialogue_id" in rows.column_names:
        logits = predict_dialogue_logits(model, tokenizer, rows, **options)
    else:
        logits = predict_logits(model, tokenizer, list(rows["text"]), **options)
    if args.unlabelled_rows == "context":
        scored = np.flatnonzero(is_labelled(labels))
        rows, logits, labels = rows.select(scored), logits[scored], labels[scored]
    thresholds = getattr(model.config, "thresholds", None)
    if args.threshold is not None:
        thresholds = [args.threshold] * len(model_labels)
    metrics = score(logits, labels, dataset.problem_type, thresholds)
    decisions = decide(logits, dataset.problem_type, thresholds)
    per_label: dict[str, dict[str, Any]] = per_label_scores(decisions, labels, model_labels, dataset.problem_type)
    if dataset.problem_type != "regression":
        calibration = getattr(model.config, "calibration", None)
        further = probability_scores(logits, labels, model_labels, dataset.problem_type, calibration)
        per_label = {label: scores | further[label] for label, scores in per_label.items()}
    results = {**metrics, "per_label": per_label, "dataset": args.dataset, "split": args.split, "texts": len(rows)}
    if "language" in rows.column_names:
        task = {"labels": model_labels, "problem_type": dataset.problem_type, "thresholds": thresholds}
        results["per_language"] = language_scores(logits, labels, rows["language"][:], task)
    if dataset.skipped:
        results["skipped_rows"] = dataset.skipped
    if args.output_file:
        write_json(args.output_file, results)
    print_scores(metrics, per_label, f"{args.dataset} {args.split}, {len(rows)} texts")
    if args.split != "test" and Path(args.dataset).is_file():
        print(f"Only the {args.split} part of {args.dataset} was scored: --split test scores all of its rows.")
    print_languages(results.get("per_language", {}), HEADLINE[dataset.problem_type])
    return results


def print_languages(per_language: dict[str, dict[str, float]], metrics: Sequence[str]) -> None:
    """A row per language, and the mean over languages; nothing if there is only one."""
    if len(per_language) < 2:
        return
    table = Table("language", *(metric.replace("_", " ") for metric in metrics), title="by language")
    means = {metric: float(np.mean([scores[metric] for scores in per_language.values()])) for metric in metrics}
    for language, scores in {**per_language, "mean": means}.items():
        table.add_row(verbatim(language), *(f"{100 * scores[metric]:.1f}" for metric in metrics))
    Console().print(table)


def print_scores(metrics: dict[str, float], per_label: dict[str, dict[str, Any]], title: str) -> None:
    overall = Table()
    overall.add_column("metric")
    overall.add_column("score x 100", justify="right")
    for name, value in metrics.items():
        overall.add_row(name.replace("_", " "), f"{100 * value:.2f}")
    labels = Table(title="by label")
    labels.add_column("label")
    names = [name for name in next(iter(per_label.values())) if name != "support"]
    for name in (*names, "support"):
        labels.add_column(name.replace("_", " "), justify="right")
    for label, scores in per_label.items():
        cells = ["–" if scores[name] is None else f"{100 * scores[name]:.1f}" for name in names]
        labels.add_row(verbatim(label), *cells, f"{scores['support']:.0f}")
    console = Console()
    # Not as the title of a table, which breaks paths that are wider than the table.
    console.print(verbatim(title), soft_wrap=True)
    console.print(overall)
    console.print(labels)
