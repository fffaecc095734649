"""The register review: what it finds among planted errors, and what it costs."""
