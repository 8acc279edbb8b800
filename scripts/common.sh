# Shared by scripts/run and scripts/test: where things are and how they get there. Sourced, never run.
# Every step that can fail says in one line what is missing and the way out.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1

say() { printf '%s\n' "$*" >&2; }
stop() { say "$1"; exit "${2:-1}"; }

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() { # packages...; false when it could not
  can_install || return 1
  say "Installing $* with apt-get ..."
  local log; log=$(mktemp)
  if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >"$log" 2>&1; then
    rm -f "$log"; return 0
  fi
  say "apt-get could not install $*:"; tail -n 3 "$log" >&2; rm -f "$log"; return 1
}

find_python() { # prints a Python of at least 3.11; the distribution's own first: it is built with optimisation, a fifth quicker than many others
  local name
  for name in /usr/bin/python3.{11..14} /usr/bin/python3 python3.{11..14} python3; do
    command -v "$name" >/dev/null || continue
    "$name" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$name"; return 0; }
  done
  for name in python3.{11..14} python3; do
    command -v "$name" >/dev/null || continue
    "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$name"; return 0; }
  done
  return 1
}

setup_venv() { # requirement files, without .txt
  local python wanted stamp="$venv/.lofte-installed" files=() name
  for name in "$@"; do files+=("$root/requirements/$name.txt"); done
  wanted=$(cat "${files[@]}" "$root/requirements/build.txt" "$root/pyproject.toml" | sha256sum | cut -d' ' -f1)
  [ -x "$venv/bin/python" ] && [ "$(cat "$stamp.$1" 2>/dev/null)" = "$wanted" ] && return 0
  python=$(find_python) || { apt_install python3 python3-venv && python=$(find_python); } \
    || stop "Python 3.11 or later was not found. Install it (Debian: apt-get install python3 python3-venv) and run this again."
  if ! [ -x "$venv/bin/pip" ]; then
    say "Making a virtual environment in .venv ..."
    "$python" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv \
      || stop "Python's venv module is not installed. Install it (Debian: apt-get install python3-venv) and run this again."
    "$python" -m venv "$venv" || stop "No virtual environment could be made in $venv."
  fi
  say "Installing the locked dependencies (${*}) ..."
  local args=()
  for name in "${files[@]}"; do args+=(-r "$name"); done
  "$venv/bin/pip" install -q --require-hashes "${args[@]}" -r "$root/requirements/build.txt" \
    || stop "The dependencies could not be installed: is the package registry reachable? Nothing was started; run this again when it is."
  "$venv/bin/pip" install -q --no-deps --no-build-isolation -e "$root" || stop "Löfte itself could not be installed into .venv."
  printf '%s' "$wanted" >"$stamp.$1"
}

find_chromium() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && { command -v "$name"; return 0; }
  done
  return 1
}

find_firefox() {
  local name
  for name in firefox-esr firefox; do
    command -v "$name" >/dev/null && { command -v "$name"; return 0; }
  done
  return 1
}

has_wordpress() { [ -f /usr/share/wordpress/wp-login.php ] && command -v php >/dev/null && php -m | grep -qx mysqli; }

has_web_servers() { local PATH="$PATH:/usr/sbin"; command -v nginx && command -v apache2 && command -v caddy && command -v openssl; } >/dev/null

install_web_servers() { # those the how-to has files for; they are only run by the tests, so none is started here
  has_web_servers && return 0
  local policy=/usr/sbin/policy-rc.d ours= status=0
  if can_install && ! [ -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && ours=yes
  fi
  apt_install nginx-light apache2-bin caddy openssl || status=1
  [ -z "$ours" ] || rm -f "$policy"
  return $status
}

install_npm() { # what the tests borrow from npm, as locked
  local lock="$root/tests/node/package-lock.json" stamp="$root/tests/node/node_modules/.lofte-installed" wanted
  wanted=$(sha256sum <"$lock")
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  say "Installing the locked npm packages of the tests ..."
  local log; log=$(mktemp)
  if (cd "$root/tests/node" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1; then
    rm -f "$log"; printf '%s' "$wanted" >"$stamp"; return 0
  fi
  say "npm could not install what tests/node/package-lock.json locks:"; tail -n 3 "$log" >&2; rm -f "$log"; return 1
}

find_postgres() { # prints the folder that holds initdb and pg_ctl
  local dir
  for dir in /usr/lib/postgresql/*/bin; do [ -x "$dir/initdb" ] && found=$dir; done
  [ -n "${found:-}" ] && { printf '%s' "$found"; return 0; }
  command -v initdb >/dev/null && dirname "$(command -v initdb)"
}
