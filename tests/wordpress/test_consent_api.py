"""Plugins that ask the WP Consent API get the visitor's own answer, on the server and in the browser, and keep none of its cookies.

Its plugin is not here: a stand-in has the functions this calls, by name, argument and event as release 2.0.1 has them. The real one
is used where a folder is named for it.
"""

import os
import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.long]
REAL = os.environ.get("LOFTE_TEST_WP_CONSENT_API", "")
STAND_IN = r"""
class WP_Consent_API { public static $cookie_info; }
class Also_Info { function get_service_category($s) { return $s === 'maps' ? 'statistics' : 'marketing'; } }
WP_Consent_API::$cookie_info = new Also_Info;
function wp_get_consent_type() { return apply_filters('wp_get_consent_type', ''); }
function wp_has_consent($c, $by = null) {
  return apply_filters('wp_has_consent', ($_COOKIE["wp_consent_$c"] ?? '') === 'allow', $c, $by); }
function wp_set_consent($c, $v) { setcookie("wp_consent_$c", $v, time() + 2592000, '/'); }
function consent_api_registered($p) { return apply_filters("wp_consent_api_registered_$p", false); }
add_action('wp_enqueue_scripts', function () {
  wp_enqueue_script('wp-consent-api', home_url('/wp-content/mu-plugins/api.js'), [], '2', true);
}, PHP_INT_MAX - 100);
"""
SCRIPT = r"""
function wp_get_service_category(s) { return s == 'maps' ? 'statistics' : 'marketing'; }
function wp_has_service_consent(s) { return wp_has_consent(wp_get_service_category(s)); }
function wp_has_consent(c) { return document.cookie.indexOf('wp_consent_' + c + '=allow') >= 0; }
function wp_set_consent(c, v) { document.cookie = 'wp_consent_' + c + '=' + v + ';path=/'; }
function wp_set_service_consent(s, v) {}
"""
ASKS = r"""
add_action('wp_footer', function () {
  if (isset($_GET['sets'])) wp_set_consent('marketing', 'allow');
  $said = ['type' => wp_get_consent_type(), 'ours' => consent_api_registered('lofte/lofte.php')];
  foreach (['functional', 'statistics', 'statistics-anonymous', 'marketing', 'odd'] as $c) $said[$c] = wp_has_consent($c);
  echo '<pre id="server">' . wp_json_encode($said) . '</pre>';
});
add_action('wp_enqueue_scripts', function () { wp_add_inline_script('wp-consent-api',
  "window.heard=[];"
  . "document.addEventListener('wp_listen_for_consent_change',e=>{for(var k in e.detail)heard.push(k+'='+e.detail[k])});"
  . "document.addEventListener('wp_consent_type_defined',function(){heard.push('type='+window.wp_consent_type)})"); }, 5000);
"""


@pytest.fixture(scope="module")
def asked(wordpress):
    content = wordpress.folder / "site" / "wp-content"
    (content / "mu-plugins").mkdir(exist_ok=True)
    (content / "mu-plugins" / "api.js").write_text(SCRIPT)
    if REAL:
        shutil.copytree(Path(REAL), content / "plugins" / "wp-consent-api", dirs_exist_ok=True)
        code = "require WP_PLUGIN_DIR . '/wp-consent-api/wp-consent-api.php';"
    else:
        code = STAND_IN
    with wordpress.also(code + ASKS.replace("5000", "PHP_INT_MAX - 50")):
        yield wordpress


def says(visitor, *categories):
    return [visitor.page.evaluate("c => wp_has_consent(c)", each) for each in categories]


def server(visitor):
    return visitor.page.evaluate("() => JSON.parse(document.getElementById('server').textContent)")


def choose(visitor, decision):
    visitor.page.locator(f"#lofte-banner [name=decision][value={decision}]").click()
    visitor.page.locator("html[data-lofte-chosen]").wait_for()


def test_before_a_choice_only_what_is_necessary_has_consent(asked, visitor):
    visitor.go("/")
    assert visitor.page.evaluate("() => heard") == ["type=optin"]
    assert says(visitor, "functional", "statistics", "marketing") == [True, False, False]
    said = server(visitor)
    assert (said["type"], said["ours"]) == ("optin", True)
    assert (said["functional"], said["statistics"], said["marketing"]) == (True, False, False)


def test_a_yes_is_told_to_who_listens_and_known_on_the_next_page(asked, visitor):
    visitor.go("/")
    choose(visitor, "accept")
    visitor.page.wait_for_function("() => heard.length > 1")
    heard = visitor.page.evaluate("() => heard")
    assert {"statistics=allow", "statistics-anonymous=allow", "marketing=allow"} <= set(heard)
    assert "functional=allow" not in heard  # it had it before
    assert says(visitor, "statistics", "marketing") == [True, True]
    visitor.go("/")
    assert server(visitor)["statistics"]
    assert server(visitor)["marketing"]
    assert says(visitor, "statistics", "marketing") == [True, True]
    assert visitor.page.evaluate("() => wp_has_service_consent('anything')") is True
    assert visitor.kept()["cookies"] == ["lofte", "lofte_on"]


def test_a_no_stays_a_no_whatever_other_code_sets(asked, visitor):
    visitor.go("/")
    choose(visitor, "reject")
    visitor.page.evaluate("() => { wp_set_consent('marketing', 'allow'); wp_set_service_consent('anything', true) }")
    assert says(visitor, "marketing") == [False]
    visitor.go("/?sets=1")
    assert server(visitor)["marketing"] is False
    assert visitor.page.evaluate("() => wp_has_service_consent('anything')") is False
    assert visitor.kept()["cookies"] == ["lofte", "lofte_on"]
