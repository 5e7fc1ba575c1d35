"""Four-level routing (四级分流; domain.md, 3): where a matter is, which node handles it, where to look for a person.

Every decision comes with a sentence that an administrator can read.
"""

from app.domain.routing.locating import How, Located, Request, where
from app.domain.routing.nodes import STATIONS, confidential_node, node
from app.domain.routing.people import Candidate, Seat, choose, inspector_seats, seats
from app.domain.routing.spots import NEAREST_KM, Outline, Site, Spot, spot

__all__ = [
    "NEAREST_KM",
    "STATIONS",
    "Candidate",
    "How",
    "Located",
    "Outline",
    "Request",
    "Seat",
    "Site",
    "Spot",
    "choose",
    "confidential_node",
    "inspector_seats",
    "node",
    "seats",
    "spot",
    "where",
]
