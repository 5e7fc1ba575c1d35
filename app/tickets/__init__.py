"""Tickets: opening, acting on, rating and showing them. service.py is where a request ends up."""
