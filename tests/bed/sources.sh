# shellcheck shell=bash
# Where this host takes Debian packages from. Sourced by the bed's scripts, after lib.sh.

# debian12 -> bookworm
suite_of() {
    case $1 in
    debian12) echo bookworm ;;
    debian13) echo trixie ;;
    unstable) echo sid ;;
    *) die "no suite of Debian is known for '$1'" ;;
    esac
}

# The sources of this host, with SUITE in place of its own. Unstable has neither updates nor a security archive beside it.
sources_for() {
    local suite=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg sources
    # shellcheck disable=SC2016
    sources=$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)|$(COMPONENT)' 'Created-By: Packages' |
        sort -u | awk -F '|' -v suite="$suite" -v option="[signed-by=$keyring]" '
            $3 != "main" { next }
            $1 == "Debian" { print "deb", option, $2, suite, "main" }
            suite == "sid" { next }
            $1 == "Debian" { print "deb", option, $2, suite "-updates", "main" }
            $1 == "Debian-Security" { print "deb", option, $2, suite "-security", "main" }')
    [[ -n $sources ]] || die "this host's apt has no Debian source to take $suite from (is 'apt-get update' due?)"
    printf '%s\n' "$sources"
}

fetch_package() {
    apt-get download -o APT::Sandbox::User=root "$1"
}

# Puts promtool, and nothing else of its package, into a folder: fetch_promtool FOLDER
# On Debian 12 it is in the server's package, on Debian 13 in one of its own.
fetch_promtool() {
    local stage=$1/promtool.stage
    rm -rf "$stage"
    mkdir "$stage"
    (cd "$stage" && { fetch_package promtool 2>/dev/null || fetch_package prometheus; })
    dpkg-deb --fsys-tarfile "$stage"/prom*.deb | tar -x -C "$stage" ./usr/bin/promtool
    mv "$stage/usr/bin/promtool" "$1/promtool"
    rm -r "$stage"
}

# How this host's apt reaches its sources.
apt_settings() {
    apt-config dump | grep -E '^Acquire::([a-z:]*proxy|Check-(Valid-Until|Date)) ' || true
}
