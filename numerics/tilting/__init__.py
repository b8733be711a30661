"""Importance sampling of a loop's refits: laws tilted towards an observable, exact weights in logarithms."""
