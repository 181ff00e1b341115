"""Accounts of people: what is known of them, and how they prove who they are. Pure, but for chance that comes in."""
