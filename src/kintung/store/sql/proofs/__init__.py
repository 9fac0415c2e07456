"""The proofs of ``kintung check``, one module for each thing that is proved."""
