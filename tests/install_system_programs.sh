#!/bin/sh
# Installs what only Debian packages: a PostgreSQL server, and a Kerberos KDC with the headers that the Python package
# gssapi is built with. Does nothing where apt is missing or we may not use it.
set -eu
wanted=
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
ls /usr/sbin/krb5kdc >/dev/null 2>&1 || wanted="$wanted krb5-kdc krb5-admin-server krb5-user libkrb5-dev"
[ -n "$wanted" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    echo "test-system: no apt-get or not root; tests that need a Debian program will be skipped and named."
    exit 0
fi
apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $wanted >/dev/null
