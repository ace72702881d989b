# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# Completion of filterctl(1) in bash. Verbs and options are those that filterctl itself tells of.

__filterctl_verbs() {
    filterctl --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# Options of a verb, or of filterctl itself.
__filterctl_options() {
    filterctl "$@" --help 2>/dev/null | sed -n 's/^  \(-[^ ]*\).*/\1/p' | tr ',' '\n'
}

__filterctl_filters() {
    local file
    {
        filterctl "${global[@]}" list filters 2>/dev/null | cut -f 1
        for file in {/etc,/run,/usr/local/lib,/usr/lib}/filterd/*.filter; do
            [[ ! -e $file ]] || basename -- "$file" .filter
        done
    } | sort -u
}

__filterctl_guarded() { filterctl "${global[@]}" list units 2>/dev/null | cut -f 1; }

__filterctl_units() {
    {
        __filterctl_guarded
        systemctl "${global[@]}" list-units --all --plain --no-legend --no-pager 2>/dev/null | cut -d ' ' -f 1
        systemctl "${global[@]}" list-unit-files --plain --no-legend --no-pager 2>/dev/null | cut -d ' ' -f 1
    } | grep -E '\.(service|scope|slice|socket|mount)$' | sort -u
}

__filterctl_parameters() { filterctl "${global[@]}" get "$1" 2>/dev/null | cut -f 1; }
# What `show` says of the maps of a filter: "Maps: ports, .bss".
__filterctl_maps() { filterctl "${global[@]}" show "$1" 2>/dev/null | sed -n 's/^ *Maps: //p' | tr -d ' ' | tr ',' '\n'; }

__filterctl_queue_files() {
    local file
    for file in {/etc,/run,/usr/local/lib,/usr/lib}/filterd/*.queue; do
        [[ ! -e $file ]] || basename -- "$file"
    done
}

__filterctl_takes_value() {
    case $1 in
    -i | --ingress | --in | -e | --egress | --out | --before | --after | -u | --unit | --on-failure | --default | --unparsable) ;;
    -t | --type | --direction | -M | --machine | -H | --host | --rules | --pcap | --root | -c | --cgroup | -w | --write | -o | --output) ;;
    -p | --program | --expr | --step | -m | --mtu | --confirm | -n | --interval | --count) ;;
    *) return 1 ;;
    esac
}

# What the value of an option can be; nothing where that is up to you.
__filterctl_values() {
    case $1 in
    -i | --ingress | --in | -e | --egress | --out | --before | --after) __filterctl_filters ;;
    -u | --unit) __filterctl_units ;;
    --on-failure) printf '%s\n' hold pass ;;
    --default | --unparsable) printf '%s\n' deny allow ;;
    -t | --type | --direction) printf '%s\n' ingress egress ;;
    -M | --machine) machinectl list --no-legend --no-pager 2>/dev/null | sed 's/ .*//' ;;
    --rules | --pcap | --root | -c | --cgroup | -w | --write | -o | --output) printf '%s\n' FILES ;;
    esac
}

# What a verb's next word may be: the verb, then the words behind it that are no options.
__filterctl_operands() {
    local verb=$1 number=$#
    case $verb:$number in
    list:1) printf '%s\n' filters units rules ;;
    show:1 | test:1) __filterctl_filters && __filterctl_guarded ;;
    cat:1) __filterctl_filters && __filterctl_queue_files && __filterctl_units ;;
    explain:1 | ensure:1 | queue:1 | confirm:1 | attach:1) __filterctl_units | grep -vF '@.' ;; # a template covers no unit
    queue:*) __filterctl_filters ;; # of a list with blanks
    detach:1 | watch:1 | why:1 | capture:1 | monitor:1) __filterctl_guarded ;;
    attach:2 | detach:2) printf '%s\n' ingress egress ;;
    attach:3 | detach:3 | load:1 | unload:1 | acquire:1 | release:1 | get:1 | set:1 | unset:1 | map:1 | tune:1) __filterctl_filters ;;
    load:2) printf '%s\n' FILES builtin:drop builtin:pass builtin:mtu ;;
    get:2 | tune:2) __filterctl_parameters "$2" ;;
    unset:*) __filterctl_parameters "$2" ;;
    set:*) __filterctl_parameters "$2" | sed 's/$/=/' ;;
    map:2) __filterctl_maps "$2" ;;
    map:3) printf '%s\n' dump lookup update delete replace ;;
    map:4) [[ $4 != replace ]] || printf '%s\n' FILES ;;
    mtu:1) printf '%s\n' FILES ;;
    help:1) __filterctl_verbs ;;
    esac
}

# Prints what can stand in place of the last of the words, which are those behind "filterctl".
__filterctl_candidates() {
    local current=${!#} previous='' verb='' word
    local -a words=("${@:1:$#-1}") global=() operands=()
    for word in "${words[@]}"; do
        if [[ $previous == -[HM] || $previous == --host || $previous == --machine ]]; then
            global+=("$previous" "$word")
            previous=''
        elif [[ $word == --host=* || $word == --machine=* ]]; then
            global+=("$word")
        elif [[ $word == -* ]]; then
            previous=$word
        elif __filterctl_takes_value "$previous"; then
            previous=''
        else
            previous=''
            [[ -n $verb ]] && operands+=("$word")
            [[ -n $verb ]] || verb=$word
        fi
    done
    if __filterctl_takes_value "$previous"; then
        __filterctl_values "$previous"
    elif [[ $current == -* ]]; then
        __filterctl_options ${verb:+"$verb"}
        [[ -z $verb ]] || __filterctl_options
    elif [[ -z $verb ]]; then
        __filterctl_verbs
    else
        __filterctl_operands "$verb" "${operands[@]}"
    fi
}

_filterctl() {
    local line=${COMP_LINE:0:COMP_POINT} current head candidate
    local -a words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    current=${words[-1]}
    # A list A,B of filters: its last part.
    head=''
    [[ $current == *,* && $current != *=* ]] && head=${current%,*},
    COMPREPLY=()
    while IFS= read -r candidate; do
        if [[ $candidate == FILES ]]; then
            compopt -o filenames 2>/dev/null
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
        elif [[ $head$candidate == "$current"* ]]; then
            COMPREPLY+=("$head$candidate")
        fi
    done < <(__filterctl_candidates "${words[@]:1}" | sort -u)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
    # Readline replaces only what is behind the last character that breaks words for it, such as : and @.
    local breaks=${COMP_WORDBREAKS//[[:space:]]/} tail=$current
    while [[ -n $tail && $breaks != *"${tail: -1}"* ]]; do
        tail=${tail%?}
    done
    COMPREPLY=("${COMPREPLY[@]#"$tail"}")
}

complete -F _filterctl filterctl
