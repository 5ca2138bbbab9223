"""Checks of LoRA adapters before a run trains."""

from collections.abc import Sequence
from typing import cast

import torch
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel

from modeling_csr import lora_options

from ..loop import encoder_config
from ..recipes import CommonSpaceStage, DistilledStage, EncoderStage, SiameseStage, Stage
from .arguments import RunArguments
from .students import student_config


def check_adapters(stages: Sequence[Stage], args: RunArguments) -> None:
    """Check that the adapters fit the stages and their encoders.

    Raises:
        ValueError: If they do not.
        ModuleNotFoundError: If peft is not installed.
    """
    options = args.adapters.options
    if options is None:
        return
    names = ", ".join(stage.name for stage in stages)
    trained = [stage for stage in stages if stage.trains_encoder]
    if not trained:
        raise ValueError(f"--lora_r puts adapters into encoders that are trained, and of {names} none trains one.")
    students = [stage.name for stage in trained if isinstance(stage, DistilledStage)]
    if students and args.training.push_to_hub and args.training.hub_strategy == "every_save":
        raise ValueError(
            f"--hub_strategy every_save: checkpoints of {students[0]} with adapters do not load as they are. Leave it "
            "at end, or train without adapters."
        )
    if args.hub.push_adapters and not any(isinstance(stage, EncoderStage) for stage in stages):
        raise ValueError(f"--push_adapters publishes the adapters of encoders with heads, and {names} has none.")
    for stage in trained:
        if isinstance(stage, DistilledStage):
            lora_options(options, _without_weights(student_config(stage.teacher, stage.student, stage.student_layers)))
    if len(students) < len(trained):
        encoders = {(args.model.encoder, args.model.encoder_revision)}
        encoders |= {(args.model.sentiment_encoder, None)} if args.model.sentiment_encoder else set()
        for encoder, revision in encoders:
            lora_options(options, _without_weights(encoder_config(encoder, revision)))
    if args.adapters.shared_backbone:
        _check_backbone(stages, args)


def _without_weights(config: PreTrainedConfig) -> PreTrainedModel:
    with torch.device("meta"):
        return cast(PreTrainedModel, AutoModel.from_config(config))


def _check_backbone(stages: Sequence[Stage], args: RunArguments) -> None:
    spaces = [stage for stage in stages if isinstance(stage, CommonSpaceStage)]
    if not any(stage.source_encoders for stage in spaces):
        raise ValueError(
            "--shared_backbone is for a common space over several encoders, as in model-3.3; there is none here."
        )
    if args.model.sentiment_encoder:
        raise ValueError("--shared_backbone: all encoders start from --encoder, so leave --sentiment_encoder out.")
    for stage in spaces:
        for parent in stage.starts_from.values():
            trained = isinstance(parent, EncoderStage | SiameseStage) and parent.trains_encoder
            if trained and not parent.pretrained_parts:
                raise ValueError(
                    f"--shared_backbone: the encoder of {parent.name} starts from another stage, so that its "
                    "adapter belongs to another encoder than the others."
                )
