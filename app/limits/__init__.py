"""Limits as they are stored: calendars as data with source and version, and when a ticket's steps fall due."""
