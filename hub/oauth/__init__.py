"""The authorization server over HTTP: forms and headers in, tokens or the words of RFC 6749 out."""
