"""People who sign in: their accounts, their sessions, and the pages that only a session opens."""
