"""Classify texts with a Text Embeddings Inference server.

python examples/tei_client.py outputs/exported --url http://127.0.0.1:8080 < texts.txt

The server knows nothing of models with several labels: its scores are a softmax over all of them. So this client asks
for logits, and does what the model's configuration says: sigmoid or softmax, and the labels' thresholds. It prints one
JSON line per text, and needs nothing but Python.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class TextEmbeddingsInferenceClient:
    """
    Asks a server for logits and makes labels and scores of them.

    Args:
        url (`str`): Address of the server.
        config (`Mapping`): The model's `config.json`: `id2label`, `problem_type` and `thresholds`.
        batch_size (`int`, defaults to 32): Texts per request; the server's own limit is 32 unless it was started with
            another `--max-client-batch-size`.
        timeout (`float`, defaults to 60): Seconds to wait for an answer.

    Raises:
        ValueError: If the configuration names no labels.
    """

    def __init__(self, url: str, config: Mapping[str, Any], batch_size: int = 32, timeout: float = 60) -> None:
        self.url, self.batch_size, self.timeout = f"{url.rstrip('/')}/predict", batch_size, timeout
        if not config.get("id2label"):
            raise ValueError("The configuration has no id2label: name the folder of the model that is served.")
        self.labels = [config["id2label"][str(number)] for number in range(len(config["id2label"]))]
        self.problem_type = config.get("problem_type") or "single_label_classification"
        self.thresholds = dict(zip(self.labels, config.get("thresholds") or [0.5] * len(self.labels), strict=True))

    def classify(self, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Classify texts, in their order.

        Args:
            texts (`Sequence[str]`): The texts. Those that are too long for the model are cut.

        Yields:
            `dict`: `labels`, those that apply, and `scores`, the score of each label. A regression has no `labels`.

        Raises:
            RuntimeError: If the server refuses a request.
            OSError: If there is no server.
        """
        for start in range(0, len(texts), self.batch_size):
            # A list of strings would be one pair of texts.
            inputs = [[text] for text in texts[start : start + self.batch_size]]
            for found in self._ask({"inputs": inputs, "raw_scores": True, "truncate": True}):
                # They come sorted by score.
                logits = {one["label"]: one["score"] for one in found}
                yield self._decided({label: logits[label] for label in self.labels})

    def _ask(self, request: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
        sent = Request(self.url, json.dumps(request).encode(), {"Content-Type": "application/json"})
        try:
            with urlopen(sent, timeout=self.timeout) as answer:
                return json.load(answer)
        except HTTPError as error:
            said = error.read().decode(errors="replace")
            raise RuntimeError(f"{self.url} answers {error.code}: {said}") from error

    def _decided(self, logits: dict[str, float]) -> dict[str, Any]:
        if self.problem_type == "regression":
            return {"scores": logits}
        if self.problem_type == "single_label_classification":
            largest = max(logits.values())
            total = sum(math.exp(logit - largest) for logit in logits.values())
            scores = {label: math.exp(logit - largest) / total for label, logit in logits.items()}
            return {"labels": [max(scores, key=lambda label: scores[label])], "scores": scores}
        scores = {label: (1 + math.tanh(logit / 2)) / 2 for label, logit in logits.items()}  # the sigmoid
        return {"labels": [one for one in scores if scores[one] >= self.thresholds[one]], "scores": scores}


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], allow_abbrev=False)
    parser.add_argument("model", type=Path, help="Folder of the model that is served, for its config.json.")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="Address of the server.")
    args = parser.parse_args(argv)
    try:
        config = json.loads((args.model / "config.json").read_text(encoding="utf-8"))
        client = TextEmbeddingsInferenceClient(args.url, config)
        texts = [text for line in sys.stdin if (text := line.strip())]
        for text, found in zip(texts, client.classify(texts), strict=True):
            print(json.dumps({"text": text, **found}, ensure_ascii=False))
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"tei_client: error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
