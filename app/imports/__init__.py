"""Imports of the county's files: all or nothing, every fault by row, safe to repeat."""
