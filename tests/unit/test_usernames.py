import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notehive.usernames import check_user_name, normalize_user_name


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("Ana", "ana"),
        ("a.b", "a.b"),
        ("a-b", "a-b"),
        ("ana+test@example.com", "ana+test@example.com"),
        ("7of9", "7of9"),
        ("STRAẞE", "strasse"),
        ("A\u030asa", "\u00e5sa"),
        ("\uff41\uff4e\uff41", "ana"),
        ("日本", "日本"),
        ("हिन्दी", "हिन्दी"),
        ("x" * 64, "x" * 64),
    ],
)
def test_accepted(given_name: str, name: str) -> None:
    assert check_user_name(given_name) == name


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("", "is empty"),
        ("x" * 65, "at most 64 characters, not 65"),
        ("../x", "begins with a letter or a digit"),
        (".ana", "begins with"),
        ("-ana", "begins with"),
        ("a..b", "two dots"),
        ("a/b", 'not "/"'),
        ("a\\b", 'not "\\"'),
        ("a b", "not a space"),
        ("ana ", "not a space"),
        ("a%2fb", 'not "%"'),
        ("a?b", 'not "?"'),
        ("a#b", 'not "#"'),
        ("a'b", 'not "\'"'),
        ('a"b', "not"),
        ("a\nb", "U+000A"),
        ("a\x00b", "U+0000"),
        ("ana\u200b", "U+200B"),
        ("ana\u115f", "U+115F"),
        ("ana\ufe0f", "U+FE0F"),
        ("a\u202eb", "U+202E"),
        ("a\ud800", "U+D800"),
        ("\u0301a", "begins with"),
    ],
)
def test_refused(name: str, part: str) -> None:
    with pytest.raises(ValueError, match=r"name .*\.$") as error:
        check_user_name(name)
    assert part in str(error.value)


@given(st.text(max_size=80))
def test_what_is_accepted_is_normal_and_harmless(text: str) -> None:
    try:
        name = check_user_name(text)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert check_user_name(name) == name == normalize_user_name(name)
    assert unicodedata.is_normalized("NFKC", name)
    assert name == name.casefold()
    assert 1 <= len(name) <= 64
    assert not set(name) & set("/\\ %?#'\"<>&:;|$`*~\n\t\x00")
    assert name.isprintable()
    assert ".." not in name
    assert name[0] not in ".-_@+"


@given(st.text(max_size=40))
def test_every_spelling_of_a_name_is_the_same_user(text: str) -> None:
    name = normalize_user_name(text)
    assert normalize_user_name(name) == name
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert normalize_user_name(unicodedata.normalize(form, text)) == name
