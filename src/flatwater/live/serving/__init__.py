"""A database behind a port: statements by HTTP, live queries by WebSocket, a console, all within the budget.

Covers:     the parts of a server.
Not here:   the database itself (`live`), clients (`live.client`).
Holds:      nothing.
"""
