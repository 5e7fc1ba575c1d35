"""Finds the place, the node and the person for a matter: loads who could take it, lets domain.routing decide."""
