"""The libraries that keep a store's bytes, one file each.

Covers:     nothing by itself.
Not here:   what a store is (`store.store`).
Holds:      nothing.
"""
