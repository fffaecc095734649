"""The checks, each as data: what must not be in a period, and the list of them all."""
