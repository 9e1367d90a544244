"""Text -> findings: the facts she told, from anywhere in her words or as an answer."""

from ebb.findings.extract import Extractor, derive

__all__ = ["Extractor", "derive"]
