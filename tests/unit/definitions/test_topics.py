"""Topics that may be subscribed to."""

from kintung.definitions import topics


def test_a_topic_is_found_by_its_canonical_url():
    found = topics()
    assert {url.rpartition("/")[2] for url in found} == {topic.id for topic in found.values()}
    assert all(url == topic.url for url, topic in found.items())


def test_topics_speak_both_languages_and_say_their_source():
    for topic in topics().values():
        assert topic.label.en
        assert topic.label.zh_hk
        assert topic.source
        assert topic.triggers
