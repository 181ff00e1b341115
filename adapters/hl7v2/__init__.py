"""What the adapters of HL7 v2 share: messages into segments, times, units and values, and the bytes of one item that may be kept."""
