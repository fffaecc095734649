"""The lists of the office: what each selects, how it is narrowed and written down."""
