"""The naive twin of each step of the tour: the same work on the same input, as programs do it that hold everything.

Covers:     nothing; each file is one twin, which a step names by its attribute `naive`.
Not here:   running them under a limit (`tour.twin`, `tour.trying`).
Holds:      nothing.

They are what `flatwater lint` is for, and use nothing of flatwater: each has `run(task)`, which does what the step did, and returns
how many items that was. None of them is made to look worse than such programs are: what they hold, they hold because it is the short way.
"""
