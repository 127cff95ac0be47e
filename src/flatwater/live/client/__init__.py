"""Clients of a served database: statements and live queries from other processes.

Covers:     the parts of a client.
Not here:   the server (`live.serving`), the database itself (`live`).
Holds:      nothing.
"""
