"""Loads and checks the YAML in knowledge/ into frozen objects."""
