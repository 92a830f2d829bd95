#!/bin/sh
# Installs what only Debian packages: a PostgreSQL server. Does nothing where apt is missing or we may not use it.
set -eu
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    echo "test-system: no apt-get or not root; tests that need a Debian program will be skipped and named."
    exit 0
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql >/dev/null
