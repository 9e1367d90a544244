"""Ebb: a self-hosted assistant for breastfeeding mothers."""
