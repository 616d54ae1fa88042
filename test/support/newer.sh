#!/bin/sh
# newer.sh test|figures [ARGUMENT...]
#
# npm test, or npm run figures, with these arguments, against the services of Debian 13: RabbitMQ 4, PHP 8.4, PHPUnit 11,
# php-amqplib 3.7, Symfony 6.4, Laravel 10. debootstrap puts them into a folder, FPM_BRIDGE_NEWER or fpm-bridge-trixie in the temporary
# folder, which takes some minutes and 1 GB; later runs find it there. Node.js and this checkout are the machine's, and all
# that is seen of it from within. Run as root.

set -eu

repository=$(cd "$(dirname "$0")/../.." && pwd -P)
root=${FPM_BRIDGE_NEWER:-${TMPDIR:-/tmp}/fpm-bridge-trixie}
ready=$root/etc/fpm-bridge-ready

if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
  echo 'This takes root and debootstrap: the services live in a folder of their own (chroot).' >&2
  exit 69
fi
if [ ! -e "$ready" ]; then
  debootstrap --variant=minbase --include=ca-certificates,openssl trixie "$root"
  touch "$ready"
fi

# What is mounted in a namespace of its own nobody else sees, and it is gone when this has ended, in whatever way.
if [ "${1-}" != --mounted ]; then
  exec unshare --mount --propagation private sh "$0" --mounted "$@"
fi
shift

# share PATH [NAME]: shows a file or folder of the machine within, under its own name or another one.
share() {
  within=$root${2:-$1}
  if [ -d "$1" ]; then
    mkdir -p "$within"
  else
    mkdir -p "${within%/*}"
    touch "$within"
  fi
  mount --rbind "$1" "$within"
}

cd "$repository"
[ -d node_modules ] || npm ci --no-audit --no-fund
share /proc
share /dev
share /etc/hosts
share "$repository"
share "$(readlink -f node_modules)"
share "$(readlink -f "$(command -v node)")" /usr/local/bin/node

command=$1
shift
case $command in
  # The image of the bridge has none of these services in it; its test takes npm and git.
  test) program='test/run.mjs --yes --exclude test/integration/docker-image.test.ts' ;;
  figures) program='test/chaos/start.mjs figures --yes' ;;
  *) echo "There is test, and figures; not $command." >&2; exit 64 ;;
esac

exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  sh -c 'cd "$1" && program=$2 && shift 2 && exec node $program "$@"' \
  sh "$repository" "$program" "$@"
