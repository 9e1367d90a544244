"""Rasa custom actions: thin, one file each. What they do is in ebb.conversation."""
