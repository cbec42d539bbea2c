# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the scripts for people share: plain words, and the packages that are missing.

PATH=$PATH:/usr/sbin # where Debian keeps servers, and users who are not root do not look

say() { printf '==> %s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

required=()
optional=()

# require PACKAGE COMMAND…: the package is needed if the command fails.
require() { "${@:2}" >/dev/null 2>&1 || required+=("$1"); }

# prefer PACKAGE COMMAND…: the same, but newer systems may no longer have it.
prefer() { "${@:2}" >/dev/null 2>&1 || optional+=("$1"); }

# What it takes to build the library.
require_build_tools() {
    require g++ command -v g++
    # Without it Meson takes /usr/local/lib64 for the libraries, where nothing on Debian looks.
    ! command -v dpkg >/dev/null || require dpkg-dev command -v dpkg-architecture
    require meson command -v meson
    require pkg-config command -v pkg-config
    require libcurl4-openssl-dev pkg-config --exists 'libcurl >= 7.88'
    require libuv1-dev pkg-config --exists 'libuv >= 1.44'
}

# What the samples use beside it.
require_sample_libraries() {
    require libcli11-dev pkg-config --exists CLI11
    require libcpp-httplib-dev pkg-config --exists cpp-httplib
    require ca-certificates test -n "$(ls -A /etc/ssl/certs 2>/dev/null)" # for https:// URLs
}

install_missing() {
    local package as_root=()
    ((${#required[@]} + ${#optional[@]})) || return 0
    if ! command -v apt-get >/dev/null; then
        ((${#required[@]})) || return 0
        die "No apt-get here. Please install what Debian calls ${required[*]}, then run this again."
    fi
    ((EUID == 0)) || as_root=(sudo)
    say "Asking apt-get for what is missing: ${required[*]} ${optional[*]}"
    "${as_root[@]}" apt-get update -qq || die "apt-get update failed; see above."
    for package in "${optional[@]}"; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            required+=("$package")
        else
            say "This system has no $package: what needs it is left out."
        fi
    done
    ((${#required[@]})) || return 0
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --no-install-recommends "${required[@]}" >/dev/null ||
        die "apt-get could not install ${required[*]}; see above."
}
