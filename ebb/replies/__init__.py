"""Turns assessments, steps and findings into the one message that she reads. Pure, no I/O."""

from ebb.replies.page import page
from ebb.replies.renderer import Renderer
from ebb.replies.summary import Said, Summary

__all__ = ["Renderer", "Said", "Summary", "page"]
