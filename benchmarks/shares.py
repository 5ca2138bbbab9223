"""Options of run_csr.py for a share of the labelled emotion texts, the same in every benchmark.

The shares are stratified by label and nested; the sources keep all their texts. Small shares are read more often, so
that no model stops before it has learnt what it can.
"""

from trainers.runs.arguments import CommonSpaceArguments, SiameseArguments

# Epochs at each share of the training texts.
EPOCHS = {0.01: 40, 0.03: 20, 0.1: 10, 0.3: 6, 1.0: 4}
DEFAULTS = vars(SiameseArguments()) | vars(CommonSpaceArguments())


def share_options(share: float) -> list[str]:
    """The share, and the epochs of every kind of stage.

    Args:
        share (`float`): One of `EPOCHS`.
    """
    options = ["--emotion_train_fraction", str(share), "--num_train_epochs", str(EPOCHS[share])]
    for stage in ("siamese", "common"):
        epochs = DEFAULTS[f"{stage}_num_train_epochs"] * EPOCHS[share] / EPOCHS[1.0]
        options += [f"--{stage}_num_train_epochs", str(epochs)]
    return [*options, "--source_num_train_epochs", str(EPOCHS[1.0])]
