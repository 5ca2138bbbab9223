"""Model families of csr-emotion. Importing this package registers them with the Auto classes."""

from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification
from transformers.pipelines import PIPELINE_REGISTRY

from .adapter_folder import ADAPTER_FOLDER, Adapter
from .adapters import add_adapter, lora_options, merge_adapter
from .classifier_head import ClassifierHead
from .configuration_csr import COMMON_LEVELS, SIAMESE_LOSSES, CSRConfig
from .configuration_dialogue import CONTEXTS, DialogueConfig
from .configuration_multitask import REPRESENTATIONS, TASK_WEIGHTINGS, MultitaskConfig
from .configuration_recurrent_encoder import BRANCH_TYPES, RecurrentEncoderConfig
from .dialogue_tracker import DialogueTracker
from .losses import (
    IGNORE_INDEX,
    LABEL_LOSSES,
    PROBLEM_TYPES,
    count_labelled,
    label_loss,
    labelled_rows,
    present_labels,
)
from .modeling_csr import CSRForSequenceClassification, CSRModel
from .modeling_dialogue import DialogueForUtteranceClassification, DialogueModel
from .modeling_multitask import MultitaskForSequenceClassification, MultitaskModel
from .modeling_recurrent_encoder import RecurrentEncoderModel
from .modeling_siamese import SiameseModel
from .onnx_classifier import ONNX_FILES, OnnxClassifier
from .openvino_classifier import OPENVINO_FILES, OpenVINOClassifier
from .pipeline_batches import readable_positions
from .pipeline_emotion import CUSTOM_PIPELINES, EmotionClassificationPipeline
from .pooling import POOLING_MODES, pool
from .utterance_text import utterance_in_context

# The recurrent encoder registers itself in its own module, so that remote code finds it by name as well.
for _config, _base, _classifier in (
    (MultitaskConfig, MultitaskModel, MultitaskForSequenceClassification),
    (CSRConfig, CSRModel, CSRForSequenceClassification),
    (DialogueConfig, DialogueModel, DialogueForUtteranceClassification),
):
    AutoConfig.register(_config.model_type, _config)
    AutoModel.register(_config, _base)
    AutoModelForSequenceClassification.register(_config, _classifier)
    _config.register_for_auto_class()
    _base.register_for_auto_class("AutoModel")
    _classifier.register_for_auto_class("AutoModelForSequenceClassification")
    # The pipeline is registered below; if saved configs named it too, `pipeline` would ask for `trust_remote_code`.
    _config.custom_pipelines = property(lambda config: {}, lambda config, value: None)

for _task, _entry in CUSTOM_PIPELINES.items():
    PIPELINE_REGISTRY.register_pipeline(
        _task,
        pipeline_class=EmotionClassificationPipeline,
        pt_model=AutoModelForSequenceClassification,
        type=_entry["type"],
    )

# One config class serves two base models; the Auto class chooses by `config.architectures`.
AutoModel._model_mapping.register(CSRConfig, (CSRModel, SiameseModel), exist_ok=True)
SiameseModel.register_for_auto_class("AutoModel")

__all__ = [
    "ADAPTER_FOLDER",
    "BRANCH_TYPES",
    "COMMON_LEVELS",
    "CONTEXTS",
    "IGNORE_INDEX",
    "LABEL_LOSSES",
    "ONNX_FILES",
    "OPENVINO_FILES",
    "POOLING_MODES",
    "PROBLEM_TYPES",
    "REPRESENTATIONS",
    "SIAMESE_LOSSES",
    "TASK_WEIGHTINGS",
    "Adapter",
    "CSRConfig",
    "CSRForSequenceClassification",
    "CSRModel",
    "ClassifierHead",
    "DialogueConfig",
    "DialogueForUtteranceClassification",
    "DialogueModel",
    "DialogueTracker",
    "EmotionClassificationPipeline",
    "MultitaskConfig",
    "MultitaskForSequenceClassification",
    "MultitaskModel",
    "OnnxClassifier",
    "OpenVINOClassifier",
    "RecurrentEncoderConfig",
    "RecurrentEncoderModel",
    "SiameseModel",
    "add_adapter",
    "count_labelled",
    "label_loss",
    "labelled_rows",
    "lora_options",
    "merge_adapter",
    "pool",
    "present_labels",
    "readable_positions",
    "utterance_in_context",
]
