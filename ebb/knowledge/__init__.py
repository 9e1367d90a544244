"""Loads and checks the YAML in knowledge/ into frozen objects; `everything.load` gives all."""
