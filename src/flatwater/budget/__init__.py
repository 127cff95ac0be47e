"""What was promised: bytes that parts share, and who holds them.

Covers:     the public names of this floor.
Not here:   what the operating system sees (`meter`); the two are compared in `watch` alone.
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.budget.budget import Budget
from flatwater.budget.explain import Explanation
from flatwater.budget.gate import Gate
from flatwater.budget.pressure import PressureHandle
from flatwater.budget.reservation import Reservation

__all__ = ["Budget", "Explanation", "Gate", "PressureHandle", "Reservation"]
