# shellcheck shell=bash
# Common ground of the scripts in this folder. Sourced, not run.

bed_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
source_dir=$(cd -- "$bed_dir/../.." && pwd -P)

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

need_root() {
    [[ $EUID -eq 0 ]] || die "needs root (namespaces, mounts, BPF): become root first, or use a VM or container where you are root"
}

# debian12, debian13 or another word that no system here has.
host_system() {
    # shellcheck source=/dev/null
    (. /etc/os-release && printf '%s%s\n' "${ID:-unknown}" "${VERSION_ID:-}")
}

need_system() {
    [[ $1 == debian12 || $1 == debian13 ]] || die "unknown system '$1': use debian12 or debian13"
}

# The host's own root serves when it is that Debian, and in one piece: an overlay does not see what is mounted below it.
host_serves_as() {
    local part
    [[ $(host_system) == "$1" ]] || return 1
    for part in /usr /etc /var; do
        ! mountpoint -q "$part" || return 1
    done
}

# Where SYSTEM's build of PRESET lies.
build_dir() {
    if host_serves_as "$1"; then
        printf '%s\n' "$source_dir/build/$2"
    else
        printf '%s\n' "$source_dir/build/$1/$2"
    fi
}

# Re-executes the calling script in a mount namespace of its own, which takes every mount made here with it, however the
# script ends. Where systemd runs the host, it also gets a scope whose cgroup is delegated to it.
isolate() {
    local -a shell=(env BED_ISOLATED=1 unshare --mount --propagation private -- "$0" "$@")
    if [[ -n ${BED_ISOLATED:-} ]]; then
        unset BED_ISOLATED
    elif [[ -d /run/systemd/system ]]; then
        exec systemd-run --quiet --scope --collect --property=Delegate=yes -- "${shell[@]}"
    else
        exec "${shell[@]}"
    fi
}

# The mount point of cgroup2: beside the hierarchies of version 1 it is not /sys/fs/cgroup.
cgroup2_mount() {
    awk '{ for (i = 7; i < NF; i++) if ($i == "-") { if ($(i + 1) == "cgroup2") { print $5; exit } break } }' \
        /proc/self/mountinfo
}

# The host's cgroup2 at $work/cgroups. Bound, not mounted anew: a new mount would set the host's mount options back.
bind_cgroups() {
    local found
    mkdir "$work/cgroups"
    found=$(cgroup2_mount)
    if [[ -n $found ]]; then
        mount --bind "$found" "$work/cgroups"
        mount -o remount,bind,rw "$work/cgroups"
    else
        mount -t cgroup2 cgroup2 "$work/cgroups" || die "cannot mount cgroup2: use a VM or a privileged container"
    fi
}

# A temporary folder with a tmpfs that only this mount namespace sees, and a cgroup of the same name below our own.
# Sets work and cgroup.
make_workplace() {
    local parent
    work=$(mktemp -d "/tmp/filterd-bed-$$-XXXXXX")
    mount -t tmpfs -o mode=755 filterd-bed "$work"
    bind_cgroups
    parent=$work/cgroups$(sed -n 's/^0:://p' /proc/self/cgroup)
    [[ -d $parent ]] || parent=$work/cgroups
    remove_stale_workplaces "${parent%/}"
    cgroup=${parent%/}/${work##*/}
    mkdir "$cgroup"
}

remove_workplace() {
    remove_cgroup "$cgroup"
    umount --lazy "$work"
    rmdir "$work"
}

# What a script left that was killed outright: its empty cgroups and folder.
remove_stale_workplaces() {
    local folder pid
    for folder in /tmp/filterd-bed-*; do
        pid=${folder#/tmp/filterd-bed-}
        pid=${pid%%-*}
        [[ -d $folder && ! -d /proc/$pid ]] || continue
        ! grep -qs 'populated 1' "$1/${folder##*/}/cgroup.events" || continue
        remove_cgroup "$1/${folder##*/}"
        rmdir "$folder" 2>/dev/null || true
    done
}

# Ends what still runs in the cgroup and removes it with all below it. It is busy until its last process is reaped.
remove_cgroup() {
    local deadline=$((SECONDS + 10))
    [[ -d $1 ]] || return 0
    [[ ! -e $1/cgroup.kill ]] || echo 1 >"$1/cgroup.kill"
    until find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; do
        ((SECONDS < deadline)) || die "cannot remove the cgroup ${1#"$work/cgroups"}: something in it does not end"
        sleep 0.05
    done
}

# Becomes COMMAND in the cgroup $1 and namespaces of its own, and dies with this script.
exec_in_namespaces() {
    # shellcheck disable=SC2016
    exec setpriv --pdeathsig KILL sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$1" \
        unshare --mount --propagation private --pid --fork --kill-child --uts --ipc --net --cgroup -- "${@:2}"
}

# Runs COMMAND in a workplace and namespaces of its own and returns its exit status. Whatever it started ends with it.
run_in_namespaces() {
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    make_workplace
    trap end_namespaces EXIT
    work=$work exec_in_namespaces "$cgroup" "$@" <&0 &
    outer=$!
    wait "$outer"
}

# Our child ends last and reaps the first process of the namespaces: a host's init may take its time for that.
# shellcheck disable=SC2317 # called by a trap
end_namespaces() {
    trap '' INT TERM HUP
    # shellcheck disable=SC2046
    if kill -TERM $(<"$cgroup/cgroup.procs"); then
        wait_gone "$outer" 5 || kill -KILL $(grep -vx "$outer" "$cgroup/cgroup.procs") || true
        wait_gone "$outer" 5 || kill -KILL "$outer" || true
    fi 2>/dev/null
    remove_workplace
}

# Waits at most $2 seconds for the end of the process $1.
wait_gone() {
    local deadline=$((SECONDS + $2))
    while kill -0 "$1" 2>/dev/null; do
        ((SECONDS < deadline)) || return 1
        sleep 0.02
    done
}

# /dev with nodes of its own: systemd changes the owner and mode of those it finds.
mount_dev() {
    local dev=$1/dev name minor
    mount -t tmpfs -o mode=755,nosuid,size=4m dev "$dev"
    while read -r name major minor; do
        mknod -m 666 "$dev/$name" c "$major" "$minor"
    done <<<$'null 1 3\nzero 1 5\nfull 1 7\nrandom 1 8\nurandom 1 9\ntty 5 0'
    mkdir "$dev/pts" "$dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$dev/pts"
    mount -t tmpfs -o mode=1777,nosuid,nodev shm "$dev/shm"
    ln -s pts/ptmx "$dev/ptmx"
    ln -s /proc/self/fd "$dev/fd"
    ln -s fd/0 "$dev/stdin"
    ln -s fd/1 "$dev/stdout"
    ln -s fd/2 "$dev/stderr"
}

# A system's root at $work/root: the folders in $2… (the first on top) under the writable layer in $1.
mount_root() {
    local state=$1 layer lower='' number=0
    shift
    for layer; do
        # Bound to plain names, since an overlay's options give ':' and ',' a meaning.
        mkdir -p "$work/layer$number"
        mount --bind "$layer" "$work/layer$number"
        lower+=${lower:+:}$work/layer$number
        number=$((number + 1))
    done
    mkdir -p "$state/upper" "$state/work" "$work/root"
    mount -t overlay -o "lowerdir=$lower,upperdir=$state/upper,workdir=$state/work" overlay "$work/root"
}

bind_read_only() {
    mkdir -p "$2"
    mount --bind "$1" "$2"
    mount -o remount,bind,ro "$2"
}
