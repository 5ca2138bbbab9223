"""What the folder of a saved model holds, and what the stock text-classification pipeline makes of it."""

from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedModel, pipeline

TEXTS = ["you are my best friend and I love you!", "never again, what a bad night"]
EMOTIONS = ["anger", "fear", "joy", "love"]
MULTITASK_MAP = {
    "AutoConfig": "configuration_multitask.MultitaskConfig",
    "AutoModel": "modeling_multitask.MultitaskModel",
    "AutoModelForSequenceClassification": "modeling_multitask.MultitaskForSequenceClassification",
}
CSR_MAP = {
    "AutoConfig": "configuration_csr.CSRConfig",
    "AutoModel": "modeling_csr.CSRModel",
    "AutoModelForSequenceClassification": "modeling_csr.CSRForSequenceClassification",
}
SIAMESE_MAP = {"AutoConfig": "configuration_csr.CSRConfig", "AutoModel": "modeling_siamese.SiameseModel"}
RECURRENT_CODE = {"configuration_recurrent_encoder.py", "modeling_recurrent_encoder.py", "pooling.py"}
MULTITASK_CODE = RECURRENT_CODE | {
    "adapter_folder.py",
    "adapters.py",
    "classifier_head.py",
    "configuration_multitask.py",
    "handler.py",
    "labelled_config.py",
    "losses.py",
    "modeling_multitask.py",
    "pipeline_batches.py",
    "multitask_outputs.py",
    "pipeline_emotion.py",
    "pipeline_inputs.py",
    "pretrained_model.py",
}
CSR_CODE = MULTITASK_CODE | {
    "classifier_config.py",
    "composed_model.py",
    "configuration_csr.py",
    "csr_outputs.py",
    "layers.py",
    "modeling_csr.py",
    "shared_backbone.py",
}
SIAMESE_CODE = CSR_CODE | {"modeling_siamese.py"}


def scores(folder: Path, batch_size: int = 1) -> list[dict[str, float]]:
    """By text, the score of each label."""
    classifier = pipeline("text-classification", model=str(folder), top_k=None, batch_size=batch_size)
    return [{entry["label"]: entry["score"] for entry in entries} for entries in classifier(TEXTS)]


def logits(model: PreTrainedModel, folder: Path) -> torch.Tensor:
    with torch.no_grad():
        return model(**AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")).logits
