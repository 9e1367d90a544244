"""The state of one conversation, pure: merges safety, findings and triage; the most urgent wins."""
