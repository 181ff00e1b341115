"""The reference for people and their tools: OpenAPI and the pages under /docs, made of the tables that the hub runs by.

Routes, resource types and search parameters are read from where they are defined; here is only what no program needs to know:
a sentence for each, and which answers to expect.
"""
