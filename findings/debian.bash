# SPDX-License-Identifier: MIT
# For the findings, each of which sources this: packages of Debian, in a folder that goes with the program.

set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

# unpack RELEASE PACKAGE=VERSION PACKAGE…: with all they need, unpacked here and installed nowhere
unpack() {
    local release=$1 keys=/usr/share/keyrings/debian-archive-keyring.gpg deb
    shift
    mkdir -p lists/partial archives/partial root
    : >status
    echo "deb [signed-by=$keys] http://deb.debian.org/debian $release main" >sources.list
    local apt=(apt-get -qq -o Dir::Etc::sourcelist="$tmp/sources.list" -o Dir::Etc::sourceparts=-
        -o Dir::State="$tmp" -o Dir::State::status="$tmp/status" -o Dir::Cache="$tmp"
        -o APT::Sandbox::User= --download-only --no-install-recommends --yes)
    if ! { "${apt[@]}" update && "${apt[@]}" install "$@"; }; then
        echo "$1 cannot be had" >&2
        exit 2
    fi
    for deb in archives/*.deb; do dpkg -x "$deb" root; done
    loader=$(find root -name 'ld-linux*.so.*' | head -n 1)
    libraries=$(find root -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
}

# within SECONDS PROGRAM ARGUMENT…: an unpacked program with the unpacked libraries
within() {
    local seconds=$1 program=$2
    shift 2
    PYTHONHOME=root/usr OPENSSL_CONF=root/etc/ssl/openssl.cnf \
        timeout "$seconds" "$loader" --library-path "$libraries" "root/usr/bin/$program" "$@"
}
