"""The neutral chain of a categorical loop in floating point, every answer with a proved bound on its error."""
