"""Keeps conversations: rows, what is loaded of them, the databases, and the spool for outages."""
