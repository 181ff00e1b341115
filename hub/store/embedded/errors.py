"""Why no database can be had. The text is for the operator and always ends in what to do."""


class NoDatabase(Exception):
    """Commands print the text to stderr and exit with 1. It never carries a password."""


class AlreadyServed(NoDatabase):
    """Another live hub holds the data directory."""
