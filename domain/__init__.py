"""The nouns of the office: values without I/O, clock or framework."""
