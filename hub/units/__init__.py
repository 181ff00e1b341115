"""Units of devices in the field: products and units as they are registered, what is known of their state, and the watch over it.

docs/adr/0015. Products are DeviceDefinitions and units Devices, stored like any resource; how a unit does lies beside it.
"""
