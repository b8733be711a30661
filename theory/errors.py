"""The refusals of the exact layer, by name.

A wrong argument is a plain ValueError; these are for questions that are well put and have no answer here.
"""


class NotClosed(ValueError):
    """The moments asked for do not close: the sentence names the monomial and the axis of the loop."""


class NoClosedForm(ValueError):
    """The recurrence is exact, but its solution is no finite expression that this engine knows."""
