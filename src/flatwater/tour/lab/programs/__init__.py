"""The programs that the lab measures: plain functions, a family a file, that know nothing of being measured.

Covers:     what each experiment runs, and where it may be looked at while it runs.
Not here:   what is measured and said about them (the experiments, in the files of the same names one folder up).
Holds:      nothing until one of them runs.

A program returns a whole number that all variants of its experiment must agree on. One that is a generator is looked at
each time it yields: the name of a moment, or that name and an object whose own size is asked for.
"""
