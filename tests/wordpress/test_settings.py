"""The page in wp-admin speaks five languages, shows what is on record, offers the policy text, and leaves nothing behind."""

import importlib.util
import re
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "wordpress"


@pytest.fixture(scope="module")
def translate():
    spec = importlib.util.spec_from_file_location("translate", PLUGIN / "translate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_word_of_the_plugin_is_in_every_language_and_the_files_are_made_of_them(translate):
    code = "".join(path.read_text() for path in (PLUGIN / "lofte").rglob("*.php"))
    said = set(re.findall(r"_[_a-z]*\( '((?:[^'\\]|\\.)*)', 'lofte' \)", code))
    assert said == set(translate.words("en"))
    for language in ("sv", "nb", "fi"):
        assert all(
            other and re.findall("%.", en) == re.findall("%.", other) for en, other in translate.words(language).items()
        )
    kept = {path.name: path.read_bytes() for path in translate.LANGUAGES.iterdir()}
    assert kept == translate.files()


@pytest.mark.long
@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("sv_SE", "Självkontroll"), ("nb_NO", "Egenkontroll"), ("fi", "Itsetarkistus"), ("en_GB", "Self-check"),
        ("en_US", "Self-check"),
    ],
)  # fmt: skip
def test_the_page_speaks_the_language_of_who_reads_it_and_counts_records(wordpress, locale, said):
    page = wordpress.php(
        f"wp_set_current_user(1); require_once ABSPATH.'wp-admin/includes/admin.php'; "
        f"add_filter('determine_locale', fn() => '{locale}');switch_to_locale('{locale}'); unload_textdomain('lofte');"
        f"Lofte\\Settings::languages(); Lofte\\Settings::page();"
    )
    assert f"<h2>{said}</h2>" in page
    rows = re.findall(r'<th scope="row">([^<]*)</th><td>([^<]*)</td>', page)
    assert len(rows) == 3
    assert int(rows[0][1]) >= 1  # the publication itself
    assert re.fullmatch("[0-9a-f]{16}", rows[2][1])


@pytest.mark.long
def test_the_policy_text_is_offered_to_the_policy_guide(wordpress):
    texts = wordpress.value(
        "(function () { define('WP_ADMIN', true); require_once ABSPATH.'wp-admin/includes/admin.php';"
        "set_current_screen('privacy-policy-guide'); wp_set_current_user(1); do_action('admin_init');"
        "return WP_Privacy_Policy_Content::get_suggested_policy_text(); })()"
    )
    (text,) = [each["policy_text"] for each in texts if each["plugin_name"] == "Löfte"]
    assert wordpress.origin + "/lofte/policy/se/sv/" in text
    assert wordpress.complaints() == ""


@pytest.mark.long
def test_deleting_the_plugin_takes_its_own_options_and_nothing_else(wordpress):
    names = (
        "$wpdb->get_col(\"SELECT option_name FROM $wpdb->options WHERE option_name NOT LIKE '%transient%' ORDER BY 1\")"
    )
    of_ours = "$wpdb->get_col(\"SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%lofte%'\")"
    ask = "(function () {{ global $wpdb; return {}; }})()"
    wordpress.php("set_transient('lofte_nonce_x', 1, 60); set_transient('other', 1, 600); Lofte\\Kit::fetch();")
    before = wordpress.value(ask.format(names))
    wordpress.php("define('WP_UNINSTALL_PLUGIN', 1); require WP_PLUGIN_DIR . '/lofte/uninstall.php';")
    try:
        assert wordpress.value("get_transient('other')") == "1"
        assert set(before) - set(wordpress.value(ask.format(names))) == {"lofte_settings"}
        assert [each for each in wordpress.value(ask.format(of_ours)) if "kit" not in each] == []
    finally:
        wordpress.settings()
