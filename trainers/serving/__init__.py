"""Models at work: scoring of texts by the million."""

from .score_files import ROWS_PER_FILE, print_summary, score_files
from .score_folder import ScoreFolderError
from .scorer import DTYPES, Scorer
from .workers import ENGINES

__all__ = ["DTYPES", "ENGINES", "ROWS_PER_FILE", "ScoreFolderError", "Scorer", "print_summary", "score_files"]
