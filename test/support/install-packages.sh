#!/bin/sh
# install-packages.sh PACKAGE...
#
# Installs packages of the distribution; their services are started neither now nor at the next boot. Run as root.
# The tests start private copies of these services; the machine's own are no business of theirs.

set -eu

policy=/usr/sbin/policy-rc.d # asked by invoke-rc.d and deb-systemd-invoke; 101 forbids the action
saved=$policy.before-fpm-bridge
mark='# Temporary, by fpm-bridge test/support/install-packages.sh'

export DEBIAN_FRONTEND=noninteractive
export NEEDRESTART_SUSPEND=1 # on Ubuntu, an apt hook would restart services that use a renewed library

put_policy_back() {
  if [ -e "$saved" ] || [ -L "$saved" ]; then
    mv -f "$saved" "$policy" # a rename keeps contents, owner and mode
  elif grep -qsF "$mark" "$policy"; then
    rm -f "$policy"
  fi
}

enabled_units() {
  systemctl list-unit-files --state=enabled --no-legend 2>/dev/null | cut -d ' ' -f 1 | sort
}

install() {
  apt-get install --yes --quiet --no-install-recommends -o Dir::Cache::archives="$archives" "$@"
}

download() {
  install --download-only "$@"
}

# Two runs at once would each take the other's policy for the machine's own.
exec 9>/run/fpm-bridge-install-packages.lock
flock 9

# Packages come into a folder of their own, which goes again: what apt-get keeps of these packages would be some hundred megabytes.
archives=$(mktemp -d)
chmod 755 "$archives" # apt-get downloads as a user of its own
mkdir "$archives/partial"

clean_up() {
  put_policy_back
  rm -rf "$archives"
}

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

put_policy_back # an earlier run may have been killed
if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$saved"; fi
printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
chmod 755 "$policy"

# The package lists may be missing or too old to find the files they name: only then are they fetched.
download "$@" || { apt-get update --quiet && download "$@"; }

enabled_before=$(mktemp)
enabled_units >"$enabled_before"

# From here on a signal would leave packages half installed, and the next apt-get refusing to work.
trap '' HUP INT TERM
install "$@"

# Without the new ones, a laptop would have a broker open to its network after the next boot.
enabled_units | comm -13 "$enabled_before" - | xargs --no-run-if-empty systemctl disable --quiet
rm -f "$enabled_before"
