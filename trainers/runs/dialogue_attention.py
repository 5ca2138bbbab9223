"""What a dialogue model reads of the other utterances, as a figure."""

from pathlib import Path

import torch

from model_cards import plot_attention
from modeling_csr import DialogueForUtteranceClassification

from ..data.dialogues import DialogueDataset, dialogue_rows
from .context import StageContext

# More utterances would not fit on a card.
MAX_SHOWN = 12


def draw_attention(
    parent: str, context: StageContext, model: DialogueForUtteranceClassification, publish: bool, path: Path
) -> None:
    """Draw the attention over a dev dialogue, or over the first utterances of a long one; nothing where none has two.

    Args:
        parent (`str`): The stage of the utterance encoder.
        context ([`StageContext`]): Its run.
        model ([`DialogueForUtteranceClassification`]): The trained model.
        publish (`bool`): Whether the texts may be shown. Without them utterances are named by number and speaker.
        path (`Path`): The image file to write.
    """
    data = context.tasks["emotion"]
    rows = data.splits["dev"]
    dialogues = dialogue_rows(rows, context.args.dialogue.max_utterances)
    chosen = max((dialogue[:MAX_SHOWN] for dialogue in dialogues), key=len)
    if len(chosen) < 2:
        return
    vectors = context.representations(model.dialogue.utterance_encoder, parent, "dev")
    inputs = DialogueDataset(vectors, list(rows["speaker"]), context.labels("dev"), [chosen])[0]
    del inputs["labels"]
    model.eval()
    with torch.inference_mode():
        batch = {name: value.unsqueeze(0).to(model.device) for name, value in inputs.items()}
        output = model(**batch, output_attentions=True)
    # Who speaks is nobody else's business either.
    voices = {speaker: chr(ord("A") + number) for number, speaker in enumerate(dict.fromkeys(rows[chosen]["speaker"]))}
    texts, speakers = rows[chosen]["text"], rows[chosen]["speaker"]
    names = []
    for number, (text, speaker) in enumerate(zip(texts, speakers, strict=True), start=1):
        names.append(f"{number} {voices[speaker]}" + (f": {text}" if publish else ""))
    weights = {
        "multi-head attention (mean of the heads)": output.attentions[0].mean(dim=0).float().cpu().numpy(),
        "attention pooling": output.pooling_attentions[0].float().cpu().numpy(),
    }
    plot_attention(weights, names, path)
