"""Whether an exported stock classifier gives the same probabilities in Transformers.js as in PyTorch, on tweets.

npm install --prefix FOLDER @huggingface/transformers
csr-emotion export STUDENT --precision fp32 int8 --dataset DATASET --output_dir EXPORTED
python -m benchmarks.javascript_model --data_dir DATA --node_dir FOLDER --model STUDENT --exported EXPORTED

Node reads the exported folder alone, tokenizer included. int8 is compared if it is there. The floor is the work of the
matrix products, at PyTorch's speed on matrices of MiniLM's shapes.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer

from modeling_csr import ONNX_FILES
from trainers.commands import BAD_INPUT, exit_on
from trainers.data import load_task_dataset, write_json
from trainers.evaluation import label_names, load_classifier, predict_logits, probabilities

from .arguments import benchmark_parser, command_of
from .machine import cpu_name, matrix_speed, matrix_weights
from .report import described

# What Transformers.js calls the files.
DTYPES = {"fp32": "fp32", "int8": "q8"}
# Run in the folder of the packages, from which `import` looks for them.
SCRIPT = """
import { readFileSync } from "node:fs";
import { env, pipeline } from "@huggingface/transformers";
const [folder, name, dtype, texts] = process.argv.slice(1);
env.allowRemoteModels = false;
env.localModelPath = folder;
const classifier = await pipeline("text-classification", name, { dtype, device: "cpu" });
const found = [];
const read = JSON.parse(readFileSync(texts, "utf-8"));
const started = performance.now();
for (const text of read) found.push(await classifier(text, { top_k: null }));
console.log(JSON.stringify({ found, seconds: (performance.now() - started) / 1000, node: process.version }));
"""


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--node_dir", type=Path, default=Path(), help="Folder with the package (default: this one).")
    parser.add_argument("--model", required=True, help="Folder of the stock classifier that was exported.")
    parser.add_argument("--exported", type=Path, required=True, help="Folder of the export.")
    parser.add_argument("--dataset", default="semeval2018-ec", help="Dataset whose dev texts are read.")
    parser.add_argument("--samples", type=int, default=300, help="Maximum number of texts (default: 300).")
    args = parser.parse_args(argv)

    with exit_on("javascript_model", *BAD_INPUT):
        texts = list(load_task_dataset(args.dataset, data_dir=args.data_dir).splits["dev"]["text"][: args.samples])
        model = load_classifier(args.model)
        tokenizer = AutoTokenizer.from_pretrained(args.exported)
    config, labels = model.config, label_names(model.config)
    expected = probabilities(
        predict_logits(model, tokenizer, texts, max_length=tokenizer.model_max_length), config.problem_type
    )
    run: dict[str, Any] = {"dataset": args.dataset, "texts": len(texts), "layers": config.num_hidden_layers}
    run |= {"cpu": cpu_name(), "torch": torch.__version__}
    tokens = sum(map(len, tokenizer(texts, truncation=True)["input_ids"]))
    floor = 2.0 * matrix_weights(model) * tokens / matrix_speed(dtype=torch.float32)
    run["fp32_texts_a_second_at_the_floor"] = round(len(texts) / floor, 1)
    for precision, dtype in DTYPES.items():
        if not (args.exported / ONNX_FILES[precision]).is_file():
            continue
        answer = in_node(args.node_dir, args.exported, dtype, texts)
        rows = [{one["label"]: one["score"] for one in row} for row in answer["found"]]
        found = np.array([[row[label] for label in labels] for row in rows])
        difference = np.abs(found - expected)
        run["node"] = answer["node"]
        run |= {
            f"{precision}_largest_difference": f"{difference.max():.2g}",
            f"{precision}_mean_difference": f"{difference.mean():.2g}",
            f"{precision}_texts_a_second": round(len(texts) / answer["seconds"], 1),
        }
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "javascript_model.json", run)
    run["command"] = command_of(
        "javascript_model", "--node_dir FOLDER --model STUDENT --exported EXPORTED --samples", args.samples
    )
    text = f"Probabilities in Transformers.js under Node against those in PyTorch.\n\n{described(run)}\n"
    (args.results_dir / "javascript_model.md").write_text(text, encoding="utf-8")
    print(text)


def in_node(node_dir: Path, exported: Path, dtype: str, texts: list[str]) -> dict[str, Any]:
    """What Transformers.js answers: for each text, all labels with their scores."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(texts, file)
        file.flush()
        folder = exported.resolve()
        command = ["node", "--input-type=module", "--eval", SCRIPT, f"{folder.parent}/", folder.name, dtype, file.name]
        done = subprocess.run(command, cwd=node_dir, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main(sys.argv[1:])
