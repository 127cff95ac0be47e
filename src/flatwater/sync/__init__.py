"""Any remote to any remote: trees and buckets of any number of files, kept the same.

Covers:     the public names of this floor; none yet.
Not here:   where states rest (`store`), what changes data (`pipeline`).
Holds:      nothing.
"""
