"""Claims about memory: growth, comparison, survival, leaks; each in fresh processes.

Covers:     the public names of this floor.
Not here:   the guard of a running program (`watch`), measuring (`meter`), killable children (`worker`).
Holds:      nothing.
"""
