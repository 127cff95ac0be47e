"""Between this house and others: middleware for web frameworks, which keeps a service inside its budget.

Covers:     `PressureMiddleware` for ASGI, WSGI, Flask and Django, one file each; health and metrics.
Not here:   seeing memory and acting on it (`watch`), capping queries (`source.guard`).
Holds:      nothing; what is asked for is imported then.
"""

from __future__ import annotations
