"""The answer that shows a page to who asked for it."""

from typing import Any

from kintung.web.fhir.answer import Answer
from kintung.web.pages.registry import Asked
from kintung.web.pages.render import page_headers, render
from kintung.web.site import Site


def page(
    site: Site,
    asked: Asked,
    template: str,
    keys: tuple[int, ...],
    *,
    status: int = 200,
    path: str | None = None,
    kept: tuple[str, ...] = (),
    script: str = "",
    **values: Any,
) -> Answer:
    """A page in the language and the zone of who asked.

    Args:
        keys: whose data it shows, for the audit.
        path: its own address, where that is not the one that was asked for.
        script: address of the script that it brings for comfort; it must be whole without.
        kept: parameters of the address that stay when the language is switched.
    """
    body = render(
        template,
        asked.language,
        path=asked.path if path is None else path,
        query=asked.kept(*kept),
        lang=asked.lang,
        rights=asked.access.rights,
        demo_day=site.demo_day,
        offset_minutes=site.offset_minutes,
        script=script,
        **values,
    )
    return Answer(status, page_headers(asked.language, runs=bool(script)), body, keys)
