"""Whoever writes the page, however it leaves: by the buffer of WordPress 6.9, by ours before and around it, it is held once.

Debian's WordPress is older than that buffer, so a stand-in keeps its contract: started at the end of ``template_include``, not
flushable, what a filter that throws made is dropped. A WordPress that has it is used as it is.
"""

from urllib.request import urlopen

import pytest

pytestmark = [pytest.mark.long]
BUFFER = """
if (version_compare(get_bloginfo('version'), '6.9', '<')) { add_filter('template_include', function ($template) {
  if (apply_filters('wp_should_output_buffer_template_for_enhancement', has_filter('wp_template_enhancement_output_buffer')))
    ob_start(function ($output, $phase) {
      if ($phase & PHP_OUTPUT_HANDLER_CLEAN) return $output;
      try { return (string) apply_filters('wp_template_enhancement_output_buffer', $output, $output); }
      catch (Throwable $thrown) { return $output; }
    }, 0, PHP_OUTPUT_HANDLER_STDFLAGS ^ PHP_OUTPUT_HANDLER_FLUSHABLE);
  return $template;
}, PHP_INT_MAX); }
"""
PIXEL = '<img src="https://undeclared.example/pixel.gif" alt="">'


def held(site, path):
    with urlopen(site.origin + path) as answer:
        headers, page = answer.headers.get_all("content-security-policy") or [], answer.read().decode()
    assert len(headers) + page.count('<meta http-equiv="Content-Security-Policy"') == 1
    assert page.count('data-lofte="guard"') == 1
    assert page.count('id="lofte-settings"') == 1
    assert page.index("<script") == page.index('<script data-lofte="guard"')
    assert ' src="https://undeclared.example' not in page
    assert page.count('data-lofte-src="https://undeclared.example') >= 1
    return page


@pytest.fixture(scope="module")
def page(wordpress):
    return wordpress.post("buffered", PIXEL)


@pytest.mark.parametrize(
    "also",
    [
        pytest.param("", id="core's buffer"),
        pytest.param(
            "add_filter('wp_should_output_buffer_template_for_enhancement', '__return_false', PHP_INT_MAX);",
            id="switched off",
        ),
        pytest.param(
            "add_filter('wp_template_enhancement_output_buffer', function () { throw new Error('mine'); }, 1);",
            id="thrown",
        ),
        pytest.param("add_action('wp_head', function () { @ob_flush(); flush(); });", id="flushed"),
    ],
)
def test_each_page_is_held_once_with_the_buffer_of_6_9(wordpress, page, also):
    with wordpress.also(BUFFER + also):
        held(wordpress, page)


def test_what_stands_around_the_buffer_of_6_9_is_held_too(wordpress, page):
    with wordpress.also(BUFFER + f"add_action('template_redirect', function () {{ echo '{PIXEL}'; }});"):
        assert held(wordpress, page).startswith("<img data-lofte-held")


def test_a_page_written_before_any_template_is_held(wordpress):
    with wordpress.also(
        f"add_action('template_redirect', function () {{ echo '<!doctype html><title>x</title><p>{PIXEL}'; exit; }});"
    ):
        held(wordpress, "/")


def test_a_page_is_held_where_there_is_only_our_buffer(wordpress, page):
    held(wordpress, page)
    with wordpress.also("add_action('wp_head', function () { @ob_flush(); flush(); });"):
        held(wordpress, page)
