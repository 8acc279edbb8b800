"""What an editor writes, made into the two parts of a letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.features.outreach.writing import LONGEST, clean, is_ours, links_of, text_of, write
from lofte.kernel.problems import Problem

OURS = {"xledger.com"}


def test_markdown_becomes_markup_and_plain_text():
    made = write(
        "# Nytt\n\nLäs **om** det [här](https://xledger.com/a).\n\n- ett\n- två\n\n1. först\n2. sen", "markdown", OURS
    )

    assert "<h2>Nytt</h2>" in made.html
    assert '<strong>om</strong> det <a href="https://xledger.com/a">här</a>' in made.html
    assert made.text == "Nytt\n====\n\nLäs om det här <https://xledger.com/a>.\n\n- ett\n- två\n\n1. först\n2. sen"
    assert made.left_out == ()


def test_html_in_markdown_is_text():
    made = write("Hej <script>alert(1)</script> <b>du</b>", "markdown", OURS)

    assert "<script>" not in made.html
    assert "&lt;script&gt;" in made.html


@pytest.mark.parametrize(
    "source, gone, named",
    [
        ("<p>a</p><script>alert(1)</script>", "alert", "script"),
        ("<style>p{color:red}</style><p>a</p>", "color", "script"),
        ('<p onclick="x()">a</p>', "onclick", "script"),
        ('<a href="javascript:x()">a</a>', "javascript", "link"),
        ('<a href="//elsewhere.example">a</a>', "elsewhere", "link"),
        ('<img src="https://tracker.example/p.gif">', "tracker", "picture"),
        ('<img src="https://xledger.com/p.gif?who=7">', "who", "picture"),
        ('<img src="data:image/png;base64,AA">', "data:", "picture"),
        ("<iframe src=https://x.example></iframe>", "iframe", "iframe"),
        ('<form action="https://x.example"><input name="a"></form>', "input", "form"),
    ],
)
def test_what_a_letter_must_not_have_is_left_out_and_named(source, gone, named):
    made = write(source, "html", OURS)

    assert gone not in made.html
    assert named in made.left_out


def test_a_picture_of_our_own_stays_and_is_told_in_text():
    made = write("![Kontoret](https://xledger.com/kontor.jpg)", "markdown", OURS)

    assert 'src="https://xledger.com/kontor.jpg"' in made.html
    assert made.text == "[Kontoret]"
    assert made.left_out == ()


@pytest.mark.parametrize(
    "address",
    [
        "https://xledger.com@evil.example/a.png",
        "http://[",
        "",
        "//xledger.com/a.png",
        "https://evil.example/xledger.com",
    ],
)
def test_addresses_that_only_look_like_ours_are_not(address):
    assert not is_ours(address, OURS)


def test_headings_and_old_tags_become_the_ones_we_keep():
    made = write("<h1>Stort</h1><div>Rad <b>fet</b> &amp; <i>lutad</i></div>", "html", OURS)

    assert made.html == "<h2>Stort</h2><p>Rad <strong>fet</strong> &amp; <em>lutad</em></p>"
    assert made.left_out == ()


def test_long_lines_are_broken_and_addresses_are_not():
    address = "https://xledger.com/" + "x" * 90
    made = write(f"{'ord ' * 40}[här]({address})", "markdown", OURS)

    assert all(len(line) <= 76 or address in line for line in made.text.splitlines())
    assert address in made.text


def test_quotations_lists_in_lists_and_code_keep_their_shape_in_text():
    made = write("> Ett citat\n\n- yttre\n  - inre\n\n```\nkod  här\n```", "markdown", OURS)

    assert made.text == "> Ett citat\n\n- yttre\n  - inre\n\nkod  här"


def test_the_links_of_a_letter_are_told_once_each():
    made = write(
        "[a](https://a.example/) [b](mailto:x@a.example) [c](https://a.example/) <https://b.example/>", "markdown", OURS
    )

    assert links_of(made.html) == ["https://a.example/", "https://b.example/"]


def test_a_letter_mail_programs_would_cut_is_refused():
    with pytest.raises(Problem) as refused:
        write("x" * (LONGEST + 1), "markdown", OURS)

    assert refused.value.code == "outreach.too-long"


@given(st.text(max_size=300))
def test_cleaning_twice_is_cleaning_once(source):
    once = clean(source, OURS)

    assert clean(once, OURS) == once


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<img src=https://t.example/a>",
                "<script>",
                "<a href='",
                "<li>",
                "<ul>",
                "\"'>",
                "x",
                "<!--",
                "<svg onload=x>",
                "&lt;",
                "</blockquote>",
                "<blockquote>",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_whatever_is_pasted_nothing_foreign_is_loaded_or_run(source):
    made = write(source, "html", OURS)

    for part in ('t.example/a"', "<script", "<svg", "onload"):
        assert part not in made.html
    text_of(made.html)
