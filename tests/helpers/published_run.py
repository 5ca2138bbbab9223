"""Runs that publish their stages, and models that are used from there, each in a process of its own."""

import json
import os
from pathlib import Path
from typing import Any

from tests.helpers import fresh_process, hub_server, tiny_run

TOKEN = "hf_0nlyItsOwnerKnows"
TEXTS = ["so happy today, laughing with a friend", "furious shouting again", "the day was plain"]
USE = """
import json, sys
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline
name, texts, options = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
if not options:
    import modeling_csr
tokenizer = AutoTokenizer.from_pretrained(name, **options)
inputs = tokenizer(texts, padding=True, return_tensors="pt")
with torch.inference_mode():
    common_space = AutoModel.from_pretrained(name, **options)(**inputs).common_space
    model, report = AutoModelForSequenceClassification.from_pretrained(name, output_loading_info=True, **options)
    logits = model(**inputs).logits
answers = pipeline("emotion-classification", model=name, **options)(texts)
report = sorted(map(sorted, report.values()))
print(json.dumps([logits.tolist(), list(common_space.shape), answers, report, model.__module__]))
"""


def organisation_hub() -> Any:
    """A Hub on loopback where the owner of `TOKEN` is an administrator of `org`."""
    return hub_server.HubServer({TOKEN: hub_server.Token("me", organisations={"org": "admin"})})


def run_csr(hub: Any, home: Path, *argv: str, **options: Any) -> Any:
    command = [tiny_run.REPOSITORY / "examples" / "run_csr.py", *argv]
    environment = hub.environment(home, TOKEN, PYTHONPATH=str(tiny_run.REPOSITORY), OMP_NUM_THREADS="1")
    if options:
        return fresh_process.FreshProcess(*command, env=environment, **options)
    result = fresh_process.run(*command, env=environment)
    assert TOKEN not in result.stdout + result.stderr
    return result


def use(hub: Any, home: Path, name: str, token: str | None = None, **changes: str) -> Any:
    """What a fresh process without this repository makes of a model; `with_package="1"` imports it."""
    options = {} if changes.get("with_package") else {"trust_remote_code": True}
    return json.loads(outside(hub, home, USE, name, json.dumps(TEXTS), json.dumps(options), token=token, **changes))


def outside(hub: Any, home: Path, code: str, *argv: str, token: str | None = None, **changes: str) -> str:
    """The last line that a fresh process without this repository prints; with `with_package="1"` it has the package."""
    package = changes.pop("with_package", "")
    path = os.pathsep.join([*([str(tiny_run.REPOSITORY)] if package else []), *fresh_process.LIBRARIES])
    environment = hub.environment(home, token, PYTHONPATH=path, OMP_NUM_THREADS="1", **changes)
    # Without `site` (-S) no hook of an editable installation runs.
    result = fresh_process.run("-S", "-c", code, *argv, cwd=home.parent, env=environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.rstrip("\n").rpartition("\n")[2]
