"""Text of tired people -> canonical tokens, patterns over them, and the scope of what is found."""

from ebb.text.model import Hit, Text, Token
from ebb.text.patterns import PatternError, PatternSet
from ebb.text.reader import Reader
from ebb.text.scope import Scope, Scopes

__all__ = ["Hit", "PatternError", "PatternSet", "Reader", "Scope", "Scopes", "Text", "Token"]
