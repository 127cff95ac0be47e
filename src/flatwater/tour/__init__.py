"""The whole house in one process under one budget, and the lab of classic experiments.

Covers:     the public names of this floor.
Not here:   the parts it walks through (the floors below), printing (`cli`).
Holds:      nothing.
"""
