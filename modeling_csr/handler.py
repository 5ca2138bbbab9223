"""Handler for Hugging Face Inference Endpoints. It is loaded on its own, so it imports no other module of ours."""

import json
from pathlib import Path
from typing import Any

from transformers import pipeline

TASK = "emotion-classification"
PARAMETERS = (
    "top_k",
    "stride",
    "main_task",
    "return_embeddings",
    "thresholds",
    "truncation",
    "max_length",
    "padding",
    "function_to_apply",
    "calibrated",
    "min_confidence",
)


class EndpointHandler:
    """Serves the emotion pipeline from an endpoint.

    Args:
        path (`str`): Folder of a saved classifier.

    Raises:
        ValueError: If the folder does not hold a classifier.
    """

    def __init__(self, path: str = "") -> None:
        folder = Path(path).resolve()
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if TASK not in config.get("custom_pipelines", {}):
            raise ValueError(
                f"{folder / 'config.json'} has no {TASK!r} pipeline in custom_pipelines: deploy a folder written by "
                "the save_pretrained method of a classifier."
            )
        # The overloads of `pipeline` know only the tasks of transformers itself.
        options: dict[str, Any] = {"task": TASK, "model": str(folder), "trust_remote_code": True}
        self.pipeline = pipeline(**options)

    def __call__(self, data: dict[str, Any]) -> list[Any] | dict[str, Any]:
        """Answer one request.

        Args:
            data (`dict`): `inputs`, a text or a list of texts, and optionally `parameters` with the arguments of
                the pipeline, which are listed in `PARAMETERS`.

        Returns:
            The output of the pipeline for a text, or a list of outputs for a list of texts.

        Raises:
            ValueError: If the request is malformed.
        """
        if not isinstance(data, dict) or "inputs" not in data:
            raise ValueError('A request needs "inputs": a text or a list of texts.')
        inputs, parameters = data["inputs"], data.get("parameters")
        if not isinstance(inputs, (str, list)):
            raise ValueError(f'"inputs" must be a text or a list of texts, got {type(inputs).__name__}.')
        if parameters is None:
            parameters = {}
        if not isinstance(parameters, dict):
            raise ValueError(f'"parameters" must be an object, got {type(parameters).__name__}.')
        unknown = sorted(set(parameters) - set(PARAMETERS))
        if unknown:
            raise ValueError(f'Unknown "parameters": {", ".join(unknown)}. Choose from {", ".join(PARAMETERS)}.')
        return self.pipeline(inputs, **parameters)


__all__ = ["EndpointHandler"]
