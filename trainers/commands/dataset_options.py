"""Options of the commands that read data for a model that is there, and reading the data by them."""

import argparse
from collections.abc import Sequence
from typing import Any

from ..data import (
    BAD_ROWS,
    UNLABELLED_ROWS,
    TaskDataset,
    in_label_space,
    load_task_dataset,
    select_labels,
)
from ..evaluation import label_names


def add_column_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which columns of people's own data hold texts and labels."""
    parser.add_argument("--text_column", help="Text column of your own data.")
    parser.add_argument("--label_columns", nargs="+", help="Label column(s) of your own data.")
    parser.add_argument(
        "--label_names", nargs="+", help="All labels, in order, where the column has 0/1 lists or numbers."
    )


def add_dataset_options(
    parser: argparse.ArgumentParser,
    unlabelled_rows: Sequence[str] = UNLABELLED_ROWS[:2],
    unlabelled_help: str = "The same for rows without a label.",
) -> None:
    """Add the options that say how a dataset is read; `--dataset` and its splits are the command's own.

    Args:
        parser (`ArgumentParser`): The command's parser.
        unlabelled_rows (`Sequence[str]`, *optional*): Choices of `--unlabelled_rows`.
        unlabelled_help (`str`, *optional*): Its help.
    """
    parser.add_argument("--data_dir", help="Directory with one subfolder per registered dataset.")
    parser.add_argument("--fold", type=int, default=0, help="Fold to use as dev, for registered data with folds.")
    add_column_options(parser)
    parser.add_argument(
        "--bad_rows", default="error", choices=BAD_ROWS, help="Whether rows that are not valid are errors or left out."
    )
    parser.add_argument("--unlabelled_rows", default="error", choices=unlabelled_rows, help=unlabelled_help)


def load_for_model(
    args: argparse.Namespace,
    config: Any,
    splits: Sequence[str],
    labels: Sequence[str] | None = None,
    rows_without_labels: str = "keep",
) -> TaskDataset:
    """The dataset that the options name, with labels in the order of a model's outputs.

    Args:
        args (`Namespace`): The options, `dataset` among them.
        config (`PreTrainedConfig`): The model's configuration.
        splits (`Sequence[str]`): The splits to read.
        labels (`Sequence[str]`, *optional*): The only labels to use, for `--labels`.
        rows_without_labels (`str`, defaults to `"keep"`): What to do with texts that have none of them.

    Raises:
        OSError: If the data are not there.
        ValueError: If they, or their labels, are not what the model needs.
    """
    names = label_names(config)
    dataset = load_task_dataset(
        args.dataset,
        regression=config.problem_type == "regression",
        data_dir=args.data_dir,
        text_column=args.text_column,
        label_columns=args.label_columns,
        label_names=args.label_names,
        bad_rows=args.bad_rows,
        unlabelled_rows=args.unlabelled_rows,
        splits=splits,
        fold=args.fold,
        labels=names if labels is None else None,
    )
    if labels is not None:
        dataset = select_labels(dataset, labels, rows_without_labels, option="--labels")
    return in_label_space(dataset, names, config.problem_type, columns=args.label_columns)


__all__ = ["add_column_options", "add_dataset_options", "load_for_model"]
