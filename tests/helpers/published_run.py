"""Runs that publish their stages, and models that are used from there, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.helpers import tiny_run

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


def run_csr(hub: Any, home: Path, *argv: str, **options: Any) -> Any:
    command = [sys.executable, str(tiny_run.REPOSITORY / "examples" / "run_csr.py"), *argv]
    environment = hub.environment(home, TOKEN, PYTHONPATH=str(tiny_run.REPOSITORY), OMP_NUM_THREADS="1")
    if options:
        return subprocess.Popen(command, env=environment, **options)
    result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert TOKEN not in result.stdout + result.stderr
    return result


def use(hub: Any, home: Path, name: str, token: str | None = None, **changes: str) -> Any:
    """What a fresh process without this repository makes of a model; `with_package="1"` imports it."""
    package = changes.pop("with_package", "")
    libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    path = os.pathsep.join([*([str(tiny_run.REPOSITORY)] if package else []), *libraries])
    options = {} if package else {"trust_remote_code": True}
    result = subprocess.run(
        # Without `site` (-S) no hook of an editable installation runs.
        [sys.executable, "-S", "-c", USE, name, json.dumps(TEXTS), json.dumps(options)],
        cwd=home.parent,
        env=hub.environment(home, token, PYTHONPATH=path, OMP_NUM_THREADS="1", **changes),
        stdin=subprocess.DEVNULL,  # nobody answers a question
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])
