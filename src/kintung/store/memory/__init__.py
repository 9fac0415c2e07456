"""The plain store: the record in dictionaries and lists, for tests and as the reference.

SQLite and PostgreSQL are compared with it, so it is written to be obviously right and not
to be fast. A commit copies the whole state, changes the copy, and puts it in the place of
the old one; a view keeps the state it was opened on. So a commit that fails half-way leaves
no trace, and a view is consistent whatever is committed meanwhile. A unit is prepared once,
inside the lock, on the state it will change: there is nothing to prepare again.

Searches do not use the index rows of a Write. They use what is extracted here, at the
commit, from the body opened again: what this store answers depends on the bodies alone, and
a database whose rows are wrong cannot agree with it. The rows are kept only for ``check``.
The Reader is one function, ``visibility.sees``, asked of every resource that is looked at,
before anything is sorted, counted or cut.
"""

from kintung.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
