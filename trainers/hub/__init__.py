"""Publishing on the Hub: repositories, pushes, cards and the Space."""

from .cards import decisive_arguments, figures_in, library_versions, notable_hyperparameters
from .published_files import is_part_of_model
from .publisher import PublishingError, StagePublisher, collection_title
from .repositories import HubRepositories, check_metadata, check_repositories, full_repository_name
from .space import PAGE, push_space, space_name
from .trainer_mixin import TrainerHubMixin

__all__ = [
    "PAGE",
    "HubRepositories",
    "PublishingError",
    "StagePublisher",
    "TrainerHubMixin",
    "check_metadata",
    "check_repositories",
    "collection_title",
    "decisive_arguments",
    "figures_in",
    "full_repository_name",
    "is_part_of_model",
    "library_versions",
    "notable_hyperparameters",
    "push_space",
    "space_name",
]
