"""Real language: texts, lexicons of their words, and n-gram models retrained on what they write."""
