"""Find a person: one box that takes a name in any script, a number, a birth date, or a mix.

What is typed is never part of an address: the form turns it into a sealed text (:mod:`sought`), and the
address has that. So a page of results is opened again, gone back to and passed over in logs like any other.
"""
