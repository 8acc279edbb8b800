"""A real WordPress with our plugin: Debian's, on PHP and a MariaDB of its own, with Löfte's edge beside it. Loopback only."""

import asyncio
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from lofte.edge.app import Edge
from lofte.edge.config import EdgeConfig
from lofte.evidence.log import open_log
from lofte.features.policy.files import read_directory
from lofte.features.policy.verbs import publish

ROOT = Path(__file__).parents[2]
# Another WordPress than Debian's (it keeps its themes apart) is tried by naming its folder here.
SOURCE = Path(os.environ.get("LOFTE_TEST_WORDPRESS", "/usr/share/wordpress"))
THEMES = Path("/var/lib/wordpress/wp-content/themes")
PLUGIN = ROOT / "wordpress" / "lofte"
KEY = secrets.token_hex(32)
PASSWORD = "correct-horse-battery"

_CONFIG = """<?php
define('DB_NAME','wordpress'); define('DB_USER','root'); define('DB_PASSWORD','');
define('DB_HOST','localhost:@SOCKET@'); define('DB_CHARSET','utf8mb4'); define('DB_COLLATE','');
foreach (['AUTH_KEY','SECURE_AUTH_KEY','LOGGED_IN_KEY','NONCE_KEY','AUTH_SALT','SECURE_AUTH_SALT','LOGGED_IN_SALT',
    'NONCE_SALT'] as $k)
    define($k, hash('sha256', "test-$k"));
$table_prefix='wp_';
define('WP_HTTP_BLOCK_EXTERNAL',true); define('DISABLE_WP_CRON',true); define('AUTOMATIC_UPDATER_DISABLED',true);
define('WP_ENVIRONMENT_TYPE','local'); define('FS_METHOD','direct'); define('WP_DEBUG',true); define('WP_DEBUG_LOG','@LOG@');
define('WP_DEBUG_DISPLAY',false);
if (!defined('ABSPATH')) define('ABSPATH', __DIR__.'/');
require_once ABSPATH.'wp-settings.php';
"""
_INSTALL = """<?php
define('WP_INSTALLING', true); $u='@ORIGIN@';
$_SERVER += ['HTTP_HOST'=>parse_url($u,PHP_URL_HOST).':'.parse_url($u,PHP_URL_PORT),'SERVER_NAME'=>'127.0.0.1','REQUEST_URI'=>'/',
    'SERVER_PROTOCOL'=>'HTTP/1.1','REMOTE_ADDR'=>'127.0.0.1'];
require '@SITE@/wp-load.php'; require_once ABSPATH.'wp-admin/includes/upgrade.php';
add_filter('pre_wp_mail','__return_true');
wp_install('Test site','admin','admin@example.test',false,'','@PASSWORD@');
foreach (['siteurl'=>$u,'home'=>$u,'permalink_structure'=>'/%postname%/','comment_moderation'=>0,'comment_previously_approved'=>0,
    'show_comments_cookies_opt_in'=>1] as $k=>$v) update_option($k,$v);
"""
_ROUTER = """<?php
$root='@SITE@'; $p=parse_url($_SERVER['REQUEST_URI'],PHP_URL_PATH); $f=realpath($root.$p);
if ($f && strncmp($f,$root,strlen($root))===0) {
  if (is_dir($f) && $p!=='/' && is_file("$f/index.php")) {
    if (substr($p,-1)!=='/') { header("Location: $p/"); return true; }
    $_SERVER['SCRIPT_NAME']=$p.'index.php'; chdir($f); require "$f/index.php"; return true; }
  if (is_file($f)) return false;
}
$_SERVER['SCRIPT_NAME']='/index.php'; chdir($root); require "$root/index.php";
"""


@dataclass
class Site:
    """A running WordPress. ``php`` runs code inside it and gives back what it prints."""

    folder: Path
    port: int
    lofte: str = ""
    running: list[Any] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def php(self, code: str) -> str:
        begin = (
            f"$_SERVER += ['HTTP_HOST'=>'127.0.0.1:{self.port}','REQUEST_URI'=>'/','SERVER_PROTOCOL'=>'HTTP/1.1',"
            f"'REMOTE_ADDR'=>'127.0.0.1']; require '{self.folder}/site/wp-load.php';"
        )
        done = subprocess.run(["php", "-r", begin + code], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def value(self, code: str) -> Any:
        """What an expression is, by JSON."""
        return json.loads(self.php(f"echo json_encode({code});"))

    def post(self, title: str, content: str) -> str:
        """A page that nobody filtered; its address."""
        self.php(
            f"kses_remove_filters(); wp_insert_post(['post_title'=>'{title}','post_name'=>'{title}',"
            f"'post_content'=>{_php(content)},"
            "'post_status'=>'publish','post_type'=>'post','comment_status'=>'open','post_author'=>1]);"
        )
        return f"/{title}/"

    def complaints(self) -> str:
        """What PHP noted of this plugin."""
        log = self.folder / "debug.log"
        return (
            "\n".join(line for line in log.read_text().splitlines() if "plugins/lofte" in line) if log.exists() else ""
        )

    @contextmanager
    def also(self, code: str) -> Iterator[None]:
        """With this code as one more plugin, loaded before ours."""
        plugin = self.folder / "site" / "wp-content" / "mu-plugins" / f"also-{secrets.token_hex(4)}.php"
        plugin.parent.mkdir(exist_ok=True)
        plugin.write_text("<?php " + code)
        try:
            yield
        finally:
            plugin.unlink()

    def settings(self, **changed: str) -> None:
        said = {"url": self.lofte, "market": "se", "locale": "sv", "key": KEY, "forms": ""} | changed
        self.php(
            f"update_option('lofte_settings', json_decode({_php(json.dumps(said))}, true));"
            "delete_transient('lofte_kit'); delete_transient('lofte_kit_failed');"
        )


def _php(text: str) -> str:
    return f"base64_decode('{b64encode(text.encode()).decode()}')"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _user() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


@pytest.fixture(scope="session")
def wordpress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Installed, with the plugin active and Löfte behind it; one for all tests of this folder."""
    missing = [name for name in ("php", "mariadbd", "mariadb-install-db", "mariadb") if not shutil.which(name)]
    if missing or not (SOURCE / "wp-login.php").exists():
        pytest.skip(
            "WordPress is not installed (Debian: apt-get install wordpress php-cli php-mysql mariadb-server-core, as root)"
        )
    folder = Path(tempfile.mkdtemp(prefix="lofte-wordpress-"))
    site = Site(folder, _free_port())
    try:
        _database(site)
        _install(site)
        _serve_lofte(site, tmp_path_factory.mktemp("lofte"))
        site.settings()
        site.php("require_once ABSPATH.'wp-admin/includes/plugin.php'; activate_plugin('lofte/lofte.php');")
        yield site
    finally:
        for stop in reversed(site.running):
            with suppress(Exception):
                stop()
        shutil.rmtree(folder, ignore_errors=True)


def _database(site: Site) -> None:
    data = site.folder / "db"
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
         f"--datadir={data}", *_user()],
        check=True, capture_output=True,
    )  # fmt: skip
    server = subprocess.Popen(
        ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={site.folder}/sock", f"--pid-file={site.folder}/pid",
         "--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", *_user()],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    site.running.append(lambda: (server.terminate(), server.wait(30)))
    ask = ["mariadb", "--no-defaults", "-uroot", "-S", f"{site.folder}/sock", "-e"]
    for _ in range(200):
        if not subprocess.run(
            [*ask, "CREATE DATABASE IF NOT EXISTS wordpress"], capture_output=True, check=False
        ).returncode:
            return
        time.sleep(0.1)
    pytest.fail("MariaDB did not start")


def _install(site: Site) -> None:
    root = site.folder / "site"
    shutil.copytree(
        SOURCE, root, ignore=shutil.ignore_patterns("wp-config.php", ".htaccess"), ignore_dangling_symlinks=True
    )
    for theme in THEMES.iterdir():
        if not (root / "wp-content" / "themes" / theme.name).exists():
            shutil.copytree(theme, root / "wp-content" / "themes" / theme.name)
    (root / "wp-content" / "uploads").mkdir(exist_ok=True)
    shutil.copytree(PLUGIN, root / "wp-content" / "plugins" / "lofte", dirs_exist_ok=True)
    marks = {
        "@SOCKET@": f"{site.folder}/sock", "@LOG@": f"{site.folder}/debug.log", "@ORIGIN@": site.origin, "@SITE@": str(root),
        "@PASSWORD@": PASSWORD,
    }  # fmt: skip
    for name, text in (("site/wp-config.php", _CONFIG), ("install.php", _INSTALL), ("router.php", _ROUTER)):
        for mark, value in marks.items():
            text = text.replace(mark, value)
        (site.folder / name).write_text(text)
    done = subprocess.run(["php", str(site.folder / "install.php")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    php = subprocess.Popen(
        ["php", "-S", f"127.0.0.1:{site.port}", "-t", str(root), str(site.folder / "router.php")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4"},
        start_new_session=True,
    )  # fmt: skip
    site.running.append(lambda: (os.killpg(php.pid, 15), php.wait(10)))
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", site.port), 0.2):
            return
        time.sleep(0.1)


def _serve_lofte(site: Site, home: Path) -> None:
    log = open_log(home / "evidence.sqlite3", home / "keys", "localhost/log", lambda: datetime.now(UTC))
    files = read_directory(ROOT / "policies" / "xledger")
    publish(files, home, log, datetime.now(UTC))
    port = _free_port()
    config = EdgeConfig(
        home=home, origins=frozenset({site.origin}), consent_rate_per_s=1000, consent_burst=1000, read_rate_per_s=1000,
        read_burst=1000, report_rate_per_s=1000, report_burst=1000,
    )  # fmt: skip

    async def nothing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(Edge(config, log, nothing), port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    site.lofte = f"http://127.0.0.1:{port}"

    def stop() -> None:
        server.should_exit = True
        thread.join(10)
        log.close()

    site.running.append(stop)


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A browser profile; everything it asked of anybody but the site, and answered with a stand-in."""

    context: Any
    page: Any
    site: Site
    strangers: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.site.origin + path, wait_until="load")
        self.page.wait_for_timeout(400)  # what scripts of the page would begin by themselves

    def hosts(self) -> set[str]:
        return {url.split("/")[2] for url in self.strangers}

    def kept(self) -> dict[str, Any]:
        script = "() => ({local: {...localStorage}, session: {...sessionStorage}})"
        return {"cookies": sorted(each["name"] for each in self.context.cookies()), **self.page.evaluate(script)}


@pytest.fixture
def visitor(wordpress: Site, chrome: Any) -> Iterator[Visitor]:
    context = chrome.new_context(locale="sv-SE", viewport={"width": 1280, "height": 900})
    made = Visitor(context, context.new_page(), wordpress)

    def answer(route: Any) -> None:
        made.strangers.append(route.request.url)
        kinds = {"script": "text/javascript", "image": "image/png", "stylesheet": "text/css"}
        route.fulfill(status=200, content_type=kinds.get(route.request.resource_type, "text/html"), body="")

    context.route(lambda url: not url.startswith(wordpress.origin), answer)
    yield made
    context.close()


def read(url: str) -> tuple[int, Any, str]:
    with urllib.request.urlopen(url) as answer:
        return answer.status, answer.headers, answer.read().decode()


@pytest.fixture(scope="session")
def wordpress_key() -> str:
    return KEY
