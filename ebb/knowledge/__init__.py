"""Loads and checks the YAML in knowledge/ into frozen objects. `library.load` gives all of it."""
