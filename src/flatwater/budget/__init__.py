"""What was promised: bytes that parts share, and who holds them.

Covers:     the public names of this floor.
Not here:   what the operating system sees (`meter`); the two are compared in `watch` alone.
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.budget.budget import Budget as Budget
    from flatwater.budget.explain import Explanation as Explanation
    from flatwater.budget.gate import Gate as Gate
    from flatwater.budget.pressure import PressureHandle as PressureHandle
    from flatwater.budget.reservation import Reservation as Reservation

_HOMES = {
    "Budget": "flatwater.budget.budget",
    "Explanation": "flatwater.budget.explain",
    "Gate": "flatwater.budget.gate",
    "PressureHandle": "flatwater.budget.pressure",
    "Reservation": "flatwater.budget.reservation",
}
__all__ = [
    "Budget",
    "Explanation",
    "Gate",
    "PressureHandle",
    "Reservation",
]

__getattr__, __dir__ = lazy.names("flatwater.budget", _HOMES)
