"""Deriving readings anew from what was kept of them: a plan with the differences first, then new versions (docs/adr/0017-rederivation.md).

derived   what becomes of a row; which of an item's readings takes its place
derive    one row: what the mapping of today makes of its item, and what that would change
chains    in what order readings go that take each other's place
diff      two versions of a resource, element by element
plan      all rows of an adapter, read page by page; the plan as a file
applying  what a plan wanted, batch by batch, where the rows are still as it saw them
report    the differences for people, as JSON or as a page
"""
