"""A page to try emotion classifiers in the browser: labels, words, and the nearest posts, of one or two models.

csr-emotion try outputs/demo/csr --compare outputs/demo/emotion-encoder

A model of dialogues has a page on which a conversation is typed line by line.

As a Space it runs without any other file of this project: the models come from the Hub with their own code.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import gradio as gr
import markup
import numpy as np
from attribution import Attribution, attribute
from classifier import Classifier
from conversation import build_conversation
from huggingface_hub import metadata_load
from neighbours import Neighbours, Post, read_posts

HERE = Path(__file__).resolve().parent
MOST_CHARACTERS = 5000
NEAREST = 5
EXAMPLES = [
    "I can't believe we finally made it! 🎉",
    "not even mad, just tired 🙃",
    "Mum rang. The scan was clear. I sat down on the kitchen floor and cried.",
    "third delay today, no announcement, and now they've locked the toilets #trains",
]
# With fonts of the reader's own, and enough contrast where Gradio has little.
THEME = gr.themes.Default(primary_hue="blue", font=["system-ui", "sans-serif"]).set(
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_hover_dark="*primary_800",
    block_info_text_color="*body_text_color",
    block_info_text_color_dark="*body_text_color",
    block_label_text_color="*body_text_color",
    block_title_text_color="*body_text_color",
    input_placeholder_color="*neutral_500",
    input_placeholder_color_dark="*neutral_400",
)


class ModelView:
    """One model on the page: its labels, words and posts, each in its component.

    Args:
        classifier ([`Classifier`]): The model.
        posts (`Sequence[Post]`): Among which neighbours are looked for.
    """

    def __init__(self, classifier: Classifier, posts: Sequence[Post]) -> None:
        self.classifier, self.index = classifier, None
        if classifier.space:
            readings = classifier.read([post.text for post in posts])
            self.index = Neighbours(posts, np.stack([reading.vector for reading in readings]))

    def build(self) -> None:
        """Add the components to the page."""
        title = self.classifier.title
        with gr.Column(min_width=280, elem_classes="model"):
            gr.HTML(f"<h2>{markup.escape(title)}</h2>", js_on_load=None)
            known = f"Knows {', '.join(self.classifier.labels)}."
            self.bars = gr.HTML(markup.note(known), js_on_load=None)
            with gr.Column(visible=False, elem_classes="details") as self.details:
                gr.HTML("<h3>What the words contribute</h3>", js_on_load=None)
                self.label = gr.Dropdown(self.classifier.labels, label=f"Label ({title})", filterable=False)
                self.words = gr.HTML(js_on_load=None)
                gr.HTML(f"<h3>Nearest posts in {self.classifier.space or 'its space'}</h3>", js_on_load=None)
                self.posts = gr.HTML(js_on_load=None)
            self.attribution = gr.State()
        self.label.input(self.colour, [self.attribution, self.label], self.words, api_visibility="private")

    @property
    def outputs(self) -> list[Any]:
        """The components that [`~ModelView.respond`] and [`~ModelView.clear`] fill."""
        return [self.bars, self.details, self.label, self.words, self.posts, self.attribution]

    def clear(self) -> list[Any]:
        """Nothing, in each of its components."""
        return ["", gr.update(visible=False), gr.update(), "", "", None]

    def respond(self, text: str) -> list[Any]:
        """What the model says of a text, for each of its components."""
        (reading,) = self.classifier.read([text])
        label = self.classifier.labels[int(reading.scores.argmax())]
        attribution = attribute(text, self.classifier.scores, reading.scores)
        limit = self.classifier.limit
        cut = "" if limit is None else f"This model reads the first {limit} tokens of a text."
        decided = self.classifier.decide(reading.scores)
        bars = markup.bars(self.classifier.labels, reading.scores, decided, self.classifier.thresholds)
        words = self.colour(attribution, label)
        return [
            bars + markup.note(cut),
            gr.update(visible=True),
            label,
            words,
            self._nearest(reading.vector),
            attribution,
        ]

    def colour(self, attribution: Attribution, label: str) -> str:
        """The words by what they contribute to a label."""
        return markup.words(attribution, label, self.classifier.labels.index(label))

    def _nearest(self, vector: np.ndarray | None) -> str:
        if self.index is None or vector is None:
            return markup.note("A stock classifier has no common space: it gives probabilities only.")
        return markup.neighbours(self.index.nearest(vector, NEAREST))


def build_page(views: Sequence[ModelView]) -> gr.Blocks:
    """The page.

    Args:
        views (`Sequence[ModelView]`): One model, or two to compare.
    """
    with gr.Blocks(title="Emotions in a text", analytics_enabled=False) as page:
        gr.HTML(
            "<h1>Emotions in a text</h1><p>English text in; out come the labels with their thresholds, the words by "
            "what they contribute, and the nearest of some posts that were written for this project. Models err: this "
            "is no judgement of anybody's state of mind.</p>",
            js_on_load=None,
        )
        # With a single line to begin with, Enter sends the text; Shift+Enter begins a new line.
        text = gr.Textbox(
            label="Text",
            info="Enter to send, Shift+Enter for a new line.",
            placeholder="How was your day?",
            max_lines=8,
            max_length=MOST_CHARACTERS,
            autofocus=True,
            elem_id="text",
        )
        send = gr.Button("Recognise emotions", variant="primary", elem_id="send")
        examples = gr.Examples([[example] for example in EXAMPLES], text, label="Or try one of these")
        status = gr.HTML(elem_id="status", js_on_load=None)
        with gr.Row(elem_id="models"):
            for view in views:
                view.build()
        answer = {
            "fn": partial(respond, views),
            "inputs": text,
            "outputs": [status, *(output for view in views for output in view.outputs)],
            "show_progress": "minimal",
        }
        gr.on([text.submit, send.click], **answer, api_name="recognise")
        examples.load_input_event.then(**answer, api_visibility="private")
    return page


def respond(views: Sequence[ModelView], text: str) -> Iterator[list[Any]]:
    """What all models say of a text, one after the other; of one that cannot be read, why."""
    answers = [view.clear() for view in views]
    problem = ""
    if not text.strip():
        problem = "There is nothing to read yet: write a few words, then press Enter."
    elif len(text) > MOST_CHARACTERS:
        problem = f"That is {len(text):,} characters long; up to {MOST_CHARACTERS:,} are read here."
    if problem:
        yield [markup.status(problem, "problem"), *chain(*answers)]
        return
    for position, view in enumerate(views):
        answers[position] = view.respond(text)
        done = position == len(views) - 1
        message = "Done. The results are below." if done else f"Asking {views[position + 1].classifier.title}…"
        yield [markup.status(message, "done" if done else ""), *chain(*answers)]


def parse_args(argv: list[str]) -> argparse.Namespace:
    # A Space names its models in its card; in a copy of it, variables in the settings are easier to change.
    model, compare, *_ = [*(metadata_load(HERE / "README.md") or {}).get("models", []), None, None]
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model",
        default=os.environ.get("MODEL") or model,
        help="Folder or Hub id of a classifier, whose code is run. Default: the variable MODEL.",
    )
    parser.add_argument(
        "--compare",
        default=os.environ.get("COMPARE") or compare,
        help="A second one, shown beside it. Default: the variable COMPARE.",
    )
    parser.add_argument(
        "--posts", default=HERE / "posts", type=Path, help="Folder with dev.jsonl and test.jsonl. Default: posts, here."
    )
    args = parser.parse_args(argv)
    if not args.model:
        parser.error("no model: give --model, such as outputs/demo/csr after `make demo`, or set MODEL.")
    return args


def main(argv: list[str]) -> None:
    args = parse_args(argv)
    try:
        # Both are splits that the demo's models were not trained on.
        posts = read_posts([args.posts / name for name in ("dev.jsonl", "test.jsonl")])
        classifiers = [Classifier(name) for name in (args.model, args.compare) if name]
    except (OSError, ValueError) as error:
        sys.exit(f"csr-emotion try: error: {error}")
    if any(classifier.follows for classifier in classifiers):
        page = build_conversation(classifiers)
    else:
        print(f"Reading {len(posts)} posts, then the page opens...", flush=True)
        page = build_page([ModelView(classifier, posts) for classifier in classifiers])
    page.launch(theme=THEME, css_paths=HERE / "style.css", footer_links=[], ssr_mode=False)


if __name__ == "__main__":
    main(sys.argv[1:])
