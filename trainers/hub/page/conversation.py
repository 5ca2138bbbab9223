"""The page of a model of dialogues: a conversation is typed line by line, and the emotion of each line follows."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import gradio as gr
import markup
from classifier import Classifier
from talk import Talk

MOST_CHARACTERS = 2000
MOST_LINES = 200


def build_conversation(classifiers: Sequence[Classifier]) -> gr.Blocks:
    """The page.

    Args:
        classifiers (`Sequence[Classifier]`): A model of dialogues, and optionally another model of any kind beside it.
    """
    with gr.Blocks(title="Emotions in a conversation", analytics_enabled=False) as page:
        gr.HTML(
            "<h1>Emotions in a conversation</h1><p>Type a conversation in English, line by line, each with its "
            "speaker. The emotion of a line is read from the line and from those before it. Models err: this is no "
            "judgement of anybody's state of mind.</p>",
            js_on_load=None,
        )
        with gr.Row():
            speaker = gr.Textbox(
                "Ana",
                label="Speaker",
                info="Any name: it only tells speakers apart.",
                max_length=40,
                max_lines=1,
                elem_id="speaker",
                scale=1,
            )
            text = gr.Textbox(
                label="Line",
                info="Enter to say it.",
                placeholder="You had my keys all day?",
                max_length=MOST_CHARACTERS,
                autofocus=True,
                elem_id="text",
                scale=4,
            )
        with gr.Row():
            send = gr.Button("Say it", variant="primary", elem_id="send")
            again = gr.Button("Begin another conversation", elem_id="again")
        status = gr.HTML(elem_id="status", js_on_load=None)
        lines = gr.HTML(elem_id="lines", js_on_load=None)
        with gr.Row(elem_id="models"):
            bars = []
            for classifier in classifiers:
                with gr.Column(min_width=280, elem_classes="model"):
                    gr.HTML(f"<h2>{markup.escape(classifier.title)}</h2>", js_on_load=None)
                    gr.HTML(markup.note(what_is_read(classifier)), js_on_load=None)
                    bars.append(gr.HTML(js_on_load=None))
        # Of each reader of the page, their own; it goes with their visit.
        talk = gr.State()
        outputs = [status, text, talk, lines, *bars]
        gr.on(
            [text.submit, send.click],
            fn=partial(respond, classifiers),
            inputs=[talk, speaker, text],
            outputs=outputs,
            show_progress="minimal",
            api_visibility="private",
        )
        again.click(partial(begin, classifiers), outputs=outputs, api_visibility="private")
    return page


def what_is_read(classifier: Classifier) -> str:
    """What a model reads besides the line, in a sentence."""
    known = f"Knows {', '.join(classifier.labels)}."
    return f"Reads the lines so far. {known}" if classifier.follows else f"Reads each line alone. {known}"


def begin(classifiers: Sequence[Classifier]) -> list[Any]:
    """Nothing, in each component."""
    return ["", "", None, "", *("" for _ in classifiers)]


def respond(classifiers: Sequence[Classifier], talk: Talk | None, speaker: str, text: str) -> list[Any]:
    """The conversation with one more line; if the line cannot be read, why, with all else as it was."""
    problem = ""
    if not text.strip():
        problem = "There is nothing to read yet: write a line, then press Enter."
    elif not speaker.strip():
        problem = "Who says it? Write a name into the field of the speaker; any name will do."
    elif len(text) > MOST_CHARACTERS:
        problem = f"That is {len(text):,} characters long; up to {MOST_CHARACTERS:,} are read here."
    elif talk is not None and len(talk.lines) >= MOST_LINES:
        problem = f"These are {MOST_LINES} lines, and no more are read here: begin another conversation."
    if problem:
        # Components left alone keep what they show.
        return [markup.status(problem, "problem"), text, talk, gr.skip(), *(gr.skip() for _ in classifiers)]
    talk = talk or Talk(classifiers)
    line = talk.add(text, speaker.strip())
    bars = [
        markup.bars(classifier.labels, scores, classifier.decide(scores), classifier.thresholds)
        for classifier, scores in zip(classifiers, line.scores, strict=True)
    ]
    said = f"Line {len(talk.lines)} is read."
    return [markup.status(said, "done"), "", talk, markup.conversation(talk), *bars]
