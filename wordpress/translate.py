"""Makes the plugin's translations out of words.yaml: .po for people, .mo for WordPress (every release reads it).

`python wordpress/translate.py`
"""

import struct
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

HERE = Path(__file__).parent
LANGUAGES = HERE / "lofte" / "languages"
LOCALES = {"sv_SE": "sv", "nb_NO": "nb", "fi": "fi", "en_GB": "en", "en_US": "en"}
_MAGIC = 0x950412DE


def words(language: str) -> dict[str, str]:
    """What the plugin says in English, and how in another language."""
    return {each["en"]: each[language] for each in YAML(typ="safe").load(HERE / "words.yaml")}


def header(locale: str) -> str:

    return (
        "Project-Id-Version: lofte\n"
        f"Language: {locale}\n"
        "MIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=UTF-8\n"
        "Content-Transfer-Encoding: 8bit\n"
        "Plural-Forms: nplurals=2; plural=(n != 1);\n"
    )


def po(locale: str, said: Mapping[str, str]) -> str:
    lines = ['msgid ""', 'msgstr ""', *(_quoted(line + "\n") for line in header(locale).splitlines())]
    for english, other in said.items():
        mark = ["#, php-format"] if "%d" in english else []
        lines += ["", *mark, f"msgid {_quoted(english)}", f"msgstr {_quoted(other)}"]
    return "\n".join(lines) + "\n"


def mo(locale: str, said: Mapping[str, str]) -> bytes:
    pairs = sorted((a.encode(), b.encode()) for a, b in {"": header(locale), **said}.items())
    tables, texts = b"", b""
    begin = 28 + 16 * len(pairs)
    for side in (0, 1):
        for pair in pairs:
            tables += struct.pack("<II", len(pair[side]), begin + len(texts))
            texts += pair[side] + b"\0"
    head = struct.pack("<7I", _MAGIC, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, begin)
    return head + tables + texts


def files() -> dict[str, bytes]:
    found = {}
    for locale, language in LOCALES.items():
        said = words(language)
        found[f"lofte-{locale}.po"] = po(locale, said).encode()
        found[f"lofte-{locale}.mo"] = mo(locale, said)
    return found


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


if __name__ == "__main__":
    LANGUAGES.mkdir(exist_ok=True)
    for name, content in files().items():
        (LANGUAGES / name).write_bytes(content)
