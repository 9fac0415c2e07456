"""Kintung 健通: one consented health record, one care process and one purse."""
