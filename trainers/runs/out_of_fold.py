"""Out-of-fold predictions of the training texts: on these, thresholds are chosen without looking at dev."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..data import TaskDataset, cross_folds
from ..evaluation import Predictions
from ..recipes import Stage
from .arguments import RunArguments
from .prepared_run import PreparedRun
from .results import dev_logits_path

# In a run's folder, the runs of its folds while they are needed.
FOLDS_NAME = "threshold_folds"


def fold_arguments(args: RunArguments, fold: int) -> RunArguments:
    """Arguments of the run without a fold: those of the whole run, whose data are drawn and selected already.

    Args:
        args ([`RunArguments`]): Arguments of the whole run.
        fold (`int`): Number of the fold.
    """
    folder = Path(args.training.output_dir) / FOLDS_NAME
    data = dataclasses.replace(args.data, emotion_labels=None, emotion_train_fraction=None, max_train_samples=None)
    if data.context_turns:
        data = dataclasses.replace(data, context_turns=0, unlabelled_rows="error")
    # Stages that learn nothing from the emotion texts, such as a sentiment encoder, are trained once.
    reused = [*(args.training.reuse_stages_from or ()), *([str(folder / "fold-0")] if fold else [])]
    training = type(args.training).derived_from(
        args.training,
        output_dir=str(folder / f"fold-{fold}"),
        reuse_stages_from=reused or None,
        push_to_hub=False,
        draw_figures=False,
    )
    hub = dataclasses.replace(
        args.hub, other_seeds=None, compare_with=None, push_space=False, push_adapters=False, card_examples=False
    )
    model = dataclasses.replace(args.model, threshold_folds=None)
    return dataclasses.replace(args, data=data, training=training, hub=hub, model=model)


def out_of_fold_predictions(
    run: PreparedRun,
    stages: Sequence[Stage],
    folds: int,
    train: Callable[[RunArguments, Mapping[str, TaskDataset]], PreparedRun],
) -> dict[str, Predictions]:
    """Predict each training text with stages that were trained without its fold, and without it all that they start
    from.

    A checkpoint or a number of epochs that is chosen on dev is chosen on the held-out fold.

    Args:
        run ([`PreparedRun`]): The run.
        stages (`Sequence[Stage]`): Those of its stages to predict with.
        folds (`int`): How many folds.
        train (`Callable`): Trains the stages of the run with other arguments and data, and returns that run.

    Returns:
        `dict[str, Predictions]`: By stage, for the texts of its first task.
    """
    parts = cross_folds(run.tasks["emotion"], folds, run.args.training.seed)
    runs = [train(fold_arguments(run.args, fold), {**run.tasks, "emotion": part}) for fold, part in enumerate(parts)]
    labels = np.concatenate([one.labels("dev") for one in runs])
    return {
        stage.name: Predictions(
            np.concatenate([np.load(dev_logits_path(one.folder(stage), "emotion")) for one in runs]),
            labels,
            f"the training texts, out of fold ({folds} folds)",
        )
        for stage in stages
    }


__all__ = ["FOLDS_NAME", "fold_arguments", "out_of_fold_predictions"]
