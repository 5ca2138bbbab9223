"""Scores of the utterances of many dialogues, each utterance encoded once."""

import datasets
import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..data.dialogues import MAX_UTTERANCES, DialogueDataset, dialogue_rows
from ..loop.collators import collate_dialogues
from .inference import embed_texts

DIALOGUES_IN_BATCH = 32


@torch.inference_mode()
def predict_dialogue_logits(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: datasets.Dataset,
    *,
    max_length: int = 128,
    batch_size: int | None = None,
    max_utterances: int = MAX_UTTERANCES,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Unnormalised scores of utterances in their dialogues, in the order of the rows.

    Args:
        model ([`DialogueForUtteranceClassification`]): The model; run in eval mode.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        rows (`Dataset`): `text` and the columns of [`~trainers.data.dialogues.DIALOGUE_COLUMNS`].
        max_length (`int`): Longer utterances are cut to this number of tokens.
        batch_size (`int`, *optional*): Utterances in a batch of the encoder; 32 on a CPU and 128 on a GPU without.
        max_utterances (`int`): Longer dialogues are cut into pieces of at most so many utterances.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`, float32.
    """
    model = model.to(device).eval()
    vectors = embed_texts(
        model.dialogue.utterance_encoder,
        tokenizer,
        list(rows["text"]),
        max_length=max_length,
        batch_size=batch_size,
        device=device,
    )
    dialogues = dialogue_rows(rows, max_utterances)
    data = DialogueDataset(vectors, list(rows["speaker"]), np.zeros(len(rows), dtype=np.int64), dialogues)
    logits = np.empty((len(rows), model.config.num_labels), dtype=np.float32)
    for start in range(0, len(data), DIALOGUES_IN_BATCH):
        numbers = range(start, min(start + DIALOGUES_IN_BATCH, len(data)))
        batch = collate_dialogues([data[number] for number in numbers])
        del batch["labels"]
        found = model(**{name: value.to(device) for name, value in batch.items()}).logits.float().cpu().numpy()
        for number, row in zip(numbers, found, strict=True):
            logits[dialogues[number]] = row[: len(dialogues[number])]
    return logits
