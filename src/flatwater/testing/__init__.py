"""The pytest plugin: memory as something a test can assert.

Covers:     the public names of this floor.
Not here:   verdicts (`proof`), measuring (`meter`).
Holds:      nothing.
"""
