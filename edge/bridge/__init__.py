"""`edge bridge`: tells the shop's Home Assistant how the kiosks are, through a broker of its own.

A program beside all others, with nothing to answer for: it reads the database, writes nothing there, and
whatever holds it up holds up nobody else.
"""
