"""Following a dialogue one utterance at a time. This module is saved to the Hub alongside the weights."""

from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .pipeline_inputs import text_problem


class DialogueTracker:
    """
    Labels a dialogue as it unfolds: each new utterance is encoded once and labelled in the context of those before it.

    The scores of an utterance equal the model's scores for the last utterance of the dialogue so far. With
    `context="past"` and `"none"`, nothing is recomputed; with `"full"`, the dialogue layers run again over the cached
    representations, but no text is encoded twice.

    Args:
        model ([`DialogueForUtteranceClassification`]): The model, which is put into eval mode.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        max_length (`int`, *optional*): Longer utterances are truncated to this number of tokens. Defaults to the
            limit of the tokenizer.

    Example:

    ```python
    >>> from transformers import AutoModelForSequenceClassification, AutoTokenizer

    >>> name = "org/csr-emotion-dialogue"
    >>> model = AutoModelForSequenceClassification.from_pretrained(name, trust_remote_code=True)
    >>> tracker = model.tracker(AutoTokenizer.from_pretrained(name, trust_remote_code=True))
    >>> tracker.add("You had my keys all day?", speaker="Ana")
    {'anger': 0.61, ...}
    >>> tracker.add("I am so sorry.", speaker="Ben")
    {'sadness': 0.72, ...}
    ```
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int | None = None
    ) -> None:
        self.model, self.tokenizer, self.max_length = model.eval(), tokenizer, max_length
        self.reset()

    def reset(self) -> None:
        """Start a new dialogue."""
        self._speakers: dict[str, int] = {}
        self._past: Any = None
        self._representations: list[torch.Tensor] = []
        self._speaker_ids: list[int] = []

    @torch.inference_mode()
    def add(self, text: str, speaker: str = "") -> dict[str, float]:
        """Label the next utterance.

        Args:
            text (`str`): The utterance.
            speaker (`str`): Any name that identifies the speaker within the dialogue.

        Returns:
            `dict[str, float]`: The probability of each label.

        Raises:
            ValueError: If `text` is empty, not a string or cannot be encoded.
        """
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"An utterance must be a non-empty string, got {text!r}.")
        if problem := text_problem(text):
            raise ValueError(f"The utterance {problem}")
        device, config = self.model.device, self.model.config
        number = self._speakers.setdefault(speaker, len(self._speakers))
        tokens = self.tokenizer(text, truncation=True, max_length=self.max_length, return_tensors="pt").to(device)
        inputs = {name: value.unsqueeze(1) for name, value in tokens.items()}
        if config.context == "full":
            self._representations.append(self.model.dialogue.encode(**inputs))
            self._speaker_ids.append(number)
            output = self.model(
                utterance_representations=torch.cat(self._representations, dim=1),
                speaker_ids=torch.tensor([self._speaker_ids], device=device),
            )
        else:
            speaker_ids = torch.tensor([[number]], device=device)
            use_cache = config.context == "past"
            output = self.model(**inputs, speaker_ids=speaker_ids, past=self._past, use_cache=use_cache)
            self._past = output.past
        logits = output.logits[0, -1].float()
        single = config.problem_type == "single_label_classification"
        probabilities = logits.softmax(dim=-1) if single else logits.sigmoid()
        return {config.id2label[index]: value for index, value in enumerate(probabilities.tolist())}


__all__ = ["DialogueTracker"]
