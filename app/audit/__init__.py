"""The trail: what happened to a ticket, in order, never changed afterwards."""
