"""HL7 v2 over MLLP: frames, senders, acknowledgements, and the server that joins them to the one way in."""
