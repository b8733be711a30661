"""A slow, obvious simulator in NumPy, written in words of its own: what every faster path is held against."""

from numerics.reference.simulator import reference as reference
