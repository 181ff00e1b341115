"""A second reader for each format: small, naive, and written from the document that its docstring names.

Each is a function from the bytes of a file to what it says of measurements (`said.Said`). It knows the few elements that the files have,
looks at nothing twice and imports nothing of the hub: where it and an adapter agree, two readings of one document agree.
"""
