# shellcheck shell=bash disable=SC2034
# The one list of Debian packages that filterd needs, by section. The names are the same on Debian 12 and 13.
# Sourced by run and by the bed's scripts.

# To compile filterd and its tests.
build_packages=(
    cmake ninja-build g++ clang libclang-rt-dev llvm pkg-config bpftool linux-libc-dev
    libsdbus-c++-dev libsdbus-c++-bin libbpf-dev libsystemd-dev libelf-dev zlib1g-dev
    libspdlog-dev libexpected-dev libcli11-dev nlohmann-json3-dev libmd-dev libpcap-dev libcap-dev libseccomp-dev libutfcpp-dev
    libgtest-dev libgmock-dev libbenchmark-dev
)

# To make the manual pages: on the host only, so that the trees, which have no manual, need not change with it.
doc_packages=(scdoc)

# To boot a system as a bed and to run the tests in it.
bed_packages=(
    systemd systemd-sysv systemd-container libpam-systemd dbus dbus-user-session polkitd strace
    bash-completion zsh
    iproute2 iputils-ping util-linux procps netbase python3 python3-dbus python3-prometheus-client python3-pytest tshark tcpdump
)

# To check the source's form. Only Debian 12's version 14 counts: other versions format differently.
lint_packages=(clang-format-14 clang-tidy-14 reuse)

# To make Debian packages of filterd, and to check them.
package_packages=(dpkg-dev debhelper fakeroot lintian)

# To make a tree of the other Debian.
tree_packages=(mmdebstrap debian-archive-keyring)

# To run the kernel tests on the kernel of either Debian.
vm_packages=(qemu-system-x86 busybox-static cpio xz-utils debian-archive-keyring)

# Which of these packages are not installed.
missing_packages() {
    local package installed
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
    for package; do
        [[ $'\n'$installed$'\n' == *$'\n'"installed $package"$'\n'* ]] || printf '%s\n' "$package"
    done
}
