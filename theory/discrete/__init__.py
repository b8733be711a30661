"""Chains of counts, one regime per file; `theory.absorption` chooses among them."""
