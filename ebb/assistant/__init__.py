"""Everything that plugs into Rasa."""
