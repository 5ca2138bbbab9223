"""The labelled texts that `check-data` and `cross-validate` look at: options, and all splits that there are."""

import argparse

from ..data import load_task_dataset
from ..experiments import LabelledTexts, labelled_texts
from .dataset_options import add_column_options


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which texts."""
    parser.add_argument("--dataset", required=True, help="A registered name, a file, a folder or a Hub dataset id.")
    parser.add_argument("--data_dir", help="Directory with one subfolder per registered dataset.")
    add_column_options(parser)


def read_labelled(args: argparse.Namespace, splits: tuple[str, ...]) -> LabelledTexts:
    """The labelled texts of some splits. Where there is no dev split, none is held out.

    Raises:
        FileNotFoundError: If the data are missing.
        ValueError: If they are not valid, or are scores.
    """
    data = load_task_dataset(
        args.dataset,
        data_dir=args.data_dir,
        text_column=args.text_column,
        label_columns=args.label_columns,
        label_names=args.label_names,
        splits=splits,
        dev_fraction=None,
    )
    return labelled_texts(data)


__all__ = ["add_data_options", "read_labelled"]
