"""What a classifier says of the example texts of cards."""

from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from model_cards import EXAMPLE_TEXTS

from .inference import predict_logits, probabilities


def describe_examples(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, max_length: int
) -> list[dict[str, Any]]:
    """What a classifier says of the card's example texts, in the form of the Hub's widget with stored outputs."""
    logits = predict_logits(model, tokenizer, EXAMPLE_TEXTS, max_length=max_length, device=model.device)
    scores = torch.from_numpy(probabilities(logits, model.config.problem_type))
    names = dict(model.config.id2label or {})
    return [
        {
            "text": text,
            "output": [
                {"label": names[index], "score": round(row[index].item(), 4)}
                for index in row.argsort(descending=True).tolist()
            ],
        }
        for text, row in zip(EXAMPLE_TEXTS, scores, strict=True)
    ]
