"""The comparison of texts sees what JSON values do not show."""

from tests.json_tokens import as_sent, nested, tokens


def test_every_token_as_it_is_written() -> None:
    text = ' {"a" : [1.00, -1E+2 ,true,null,"\\u00e9\\"}"],"b":{} }\n'
    assert tokens(text) == [
        *('{', '"a"', ":", "[", "1.00", ",", "-1E+2", ",", "true", ",", "null", ","),
        *('"\\u00e9\\"}"', "]", ",", '"b"', ":", "{", "}", "}"),
    ]  # fmt: skip
    assert nested(text) == (('"a"', ["1.00", "-1E+2", "true", "null", '"\\u00e9\\"}"']), ('"b"', ()))


def test_digits_order_and_spelling_make_a_difference() -> None:
    assert nested('{"a":1.0}') != nested('{"a":1.00}')
    assert nested('{"a":1,"b":2}') != nested('{"b":2,"a":1}')
    assert nested('"\\u00e9"') != nested('"é"')
    assert nested('{"a":[]}') != nested('{"a":{"b":1}}')


def test_only_what_the_server_says_of_a_version_is_left_out() -> None:
    sent = '{"resourceType":"Basic","meta":{"tag":[{"code":"x"}]},"text":{"versionId":"kept"}}'
    served = (
        '{"resourceType":"Basic","meta":{"versionId":"3","lastUpdated":"2026-11-22T01:02:03Z",'
        '"tag":[{"code":"x"}]},"text":{"versionId":"kept"}}'
    )
    assert as_sent(served) == as_sent(sent) == nested(sent)
    assert as_sent('{"a":1,"meta":{"versionId":"1"}}') == nested('{"a":1}')
