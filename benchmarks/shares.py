"""Shares of the labelled emotion texts and their numbers of epochs, the same in every benchmark.

The shares are stratified by label and nested; the sources keep all their texts. Small shares get more epochs,
so that no model stops too early.
"""

from trainers import CSRTrainingArguments, SiameseTrainingArguments

# Epochs at each share of the training texts.
EPOCHS = {0.01: 40, 0.03: 20, 0.1: 10, 0.3: 6, 1.0: 4}


def share_options(share: float) -> list[str]:
    """Options for a share of the labelled texts: the share, and the epochs of every kind of stage.

    Args:
        share (`float`): One of `EPOCHS`.
    """
    options = [] if share == 1.0 else ["--emotion_train_fraction", str(share)]
    options += ["--num_train_epochs", str(EPOCHS[share])]
    for stage, arguments in (("siamese", SiameseTrainingArguments), ("common", CSRTrainingArguments)):
        epochs = arguments.usual_epochs * EPOCHS[share] / EPOCHS[1.0]
        options += [f"--{stage}_num_train_epochs", str(epochs)]
    return [*options, "--source_num_train_epochs", str(EPOCHS[1.0])]


def share_heading(share: float | None) -> str:
    """Text for the heading of a result; empty if all labels are used."""
    return f", {100 * share:g} % of the labels" if share and share < 1 else ""
