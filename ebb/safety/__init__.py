"""Text -> Assessment: what the words of a message show about danger, on words alone."""

from ebb.safety.assess import ERROR, Safety
from ebb.safety.spelling import Speller

__all__ = ["ERROR", "Safety", "Speller"]
