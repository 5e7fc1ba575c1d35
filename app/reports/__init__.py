"""Frozen reports: made once, verified at every reading, corrected only by a next revision."""
