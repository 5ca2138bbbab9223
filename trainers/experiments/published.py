"""Results of the paper: Chouragade and Susheela Devi, "Deep Transfer Learning for Emotion Recognition from Text"."""

# Percentages by experiment, recipe and metric: on test sets, with a BERT of unstated size, without seeds or spread. For
# single-label data, the paper's micro F1 is the accuracy.
PUBLISHED: dict[str, dict[str, dict[str, float]]] = {
    "E-c": {
        "bert": {"jaccard": 54.7, "micro_f1": 65.6, "macro_f1": 54.2},
        "model-1": {"jaccard": 58.7, "micro_f1": 68.9, "macro_f1": 57.3},
        "model-2": {"jaccard": 56.6, "micro_f1": 67.2, "macro_f1": 55.8},
        "model-3.1": {"jaccard": 55.4, "micro_f1": 66.8, "macro_f1": 55.2},
        "model-3.2": {"jaccard": 57.8, "micro_f1": 67.7, "macro_f1": 56.7},
        "model-3.3": {"jaccard": 58.6, "micro_f1": 70.6, "macro_f1": 58.0},
    },
    "General Tweets": {
        "bert": {"accuracy": 57.1},
        "model-1": {"accuracy": 58.5},
        "model-2": {"accuracy": 57.3},
        "model-3.3": {"accuracy": 59.1},
    },
    "ISEAR": {
        "bert": {"accuracy": 55.9},
        "model-1": {"accuracy": 57.1},
        "model-2": {"accuracy": 56.2},
        "model-3.3": {"accuracy": 57.5},
    },
}
