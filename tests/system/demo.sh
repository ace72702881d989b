#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# What filterd does, on a real systemd with real packets. Each step shows the command that a user would type and what
# came of it, and is checked: the last line, and exit status 0, come only if everything was really seen.
set -euo pipefail

if [[ $EUID -ne 0 || ! -d /run/systemd/system ]]; then
    echo 'demo.sh: wants to be root on a system with systemd; ./run demo boots one for it' >&2
    exit 2
fi
object=/usr/lib/filterd/bpf/drop.bpf.o
units=(web@1.service web@2.service)

say() { printf '\n%s\n' "$*"; }

# Shows a command, runs it and shows its output, which stays in $seen.
show() {
    local word line=''
    for word; do
        [[ $word != *[' ;*']* ]] || word=${word@Q}
        line+=" $word"
    done
    printf '  #%s\n' "$line"
    seen=$("$@" 2>&1) || fail "the command failed: $seen"
    [[ -z $seen ]] || printf '  %s\n' "${seen//$'\n'/$'\n'  }"
}

fail() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

check() {
    local what=$1
    shift
    "$@" || fail "expected $what"
    printf '  -> %s\n' "$what"
}

# Pings from within a unit's cgroup: its packets are the unit's packets.
ping_from() {
    local procs
    procs=/sys/fs/cgroup$(systemctl show --value --property=ControlGroup "$1")/cgroup.procs
    printf '  # ping -c 5 127.0.0.1        (in %s)\n' "$1"
    seen=$(sh -c 'echo $$ >"$0" && exec ping -n -c 5 -i 0.05 -W 0.3 127.0.0.1' "$procs") || true
    seen=$(grep 'packet loss' <<<"$seen") || fail 'ping did not run'
    printf '  %s\n' "$seen"
}

# What a unit that pings on its own has written.
await_ping() {
    for _ in {1..100}; do
        if seen=$(grep 'packet loss' "$1" 2>/dev/null); then
            printf '  %s\n' "$seen"
            return
        fi
        sleep 0.1
    done
    fail 'no ping in 10 s'
}

lost() { [[ $seen == *" $1% packet loss"* ]]; }
has() { [[ $seen == *"$1"* ]]; }
same() { [[ -n $1 && $1 == "$2" ]]; }

# The id of the kernel's program that a unit's packets pass on their way in.
program_of() { filterctl --json show "$1" | sed -n 's/.*"ingress":{[^}]*"program_id":\([0-9]*\).*/\1/p'; }
await_other_process() {
    for _ in {1..100}; do
        now=$(main_pid filterd.service)
        if [[ $now != 0 && $now != "$1" ]] && filterctl status >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    fail 'filterd did not come back in 10 s'
}
main_pid() { systemctl show --value --property=MainPID "$1"; }

# shellcheck disable=SC2317 # called by a trap
clean_up() {
    systemctl stop "${units[@]}" || true
    filterctl queue 'web@*.service' --reset || true
    filterctl unload drop || true
    rm -f /run/demo-ping
} >/dev/null 2>&1
trap clean_up EXIT

say '1. A unit as systemd starts it: its packets come and go.'
show systemd-run --quiet --unit=web@1.service sleep 600
ping_from web@1.service
check '0 % loss' lost 0

say '2. Load a filter, and give it to every unit of that name.'
show filterctl load drop "$object"
show filterctl queue 'web@*.service' --ingress drop
ping_from web@1.service
check '100 % loss: the running unit is filtered at once' lost 100

say '3. A second unit starts, and pings at once. It is filtered from its first packet, by the same program.'
show systemd-run --quiet --unit=web@2.service sh -c \
    'ping -n -c 5 -i 0.05 -W 0.3 127.0.0.1 >/run/demo-ping; exec sleep 600'
await_ping /run/demo-ping
check '100 % loss' lost 100
first=$(program_of web@1.service) second=$(program_of web@2.service)
check "one program in the kernel for both: id $first" same "$first" "$second"
show filterctl show drop
check 'both units are named as its holders' has 'attachment web@1.service, attachment web@2.service'
show filterctl list
check 'four references: it was loaded to be kept, a rule names it, two units run it' \
    same "${seen##*$'\t'}" 4
printf '  # filterctl unload drop\n'
if seen=$(filterctl unload drop 2>&1); then fail 'a filter in use was unloaded'; fi
printf '  %s\n' "$seen"
check 'it is not unloaded while somebody needs it' has 'in use by'

say '4. The daemon is killed. What is in force stays in force.'
before=$(main_pid filterd.service) service=$(main_pid web@1.service)
show systemctl kill --signal=KILL filterd.service
ping_from web@1.service
check '100 % loss' lost 100
await_other_process "$before"
check "systemd has started it again: process $before is now $now" [ "$now" != "$before" ]
check "it adopted program $first" same "$first" "$(program_of web@1.service)"
check 'no guarded unit was restarted' same "$service" "$(main_pid web@1.service)"
ping_from web@2.service
check '100 % loss' lost 100

say '5. The queue is reset.'
show filterctl queue 'web@*.service' --reset
ping_from web@1.service
check '0 % loss' lost 0
ping_from web@2.service
check '0 % loss' lost 0
show filterctl unload drop
show filterctl list
check 'nothing is left' [ -z "$seen" ]

say 'All of this was seen.'
