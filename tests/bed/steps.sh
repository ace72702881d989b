# shellcheck shell=bash disable=SC2154
# Steps with one line of progress each, and the results of tests. Sourced by run, after lib.sh.

logs=$source_dir/build/logs
running=() # the processes of the step under way

# Runs COMMAND for at most SECONDS, without input, its output in build/logs: step LABEL SECONDS COMMAND…
step() {
    local label=$1 limit=$2 start=$SECONDS status=0 log
    shift 2
    mkdir -p "$logs"
    log=$logs/$(printf %s "$label" | tr -cs '[:alnum:]' -).log
    printf '%-46s ' "$label"
    : >"$log"
    show_progress "$log" &
    running=($!)
    timeout --kill-after 60 "$limit" "$@" </dev/null >>"$log" 2>&1 &
    running+=($!)
    wait "${running[1]}" || status=$?
    stop_step
    [[ ! -t 1 ]] || printf '\e[K'
    case $status in
    0) printf 'ok, %d s\n' $((SECONDS - start)) && return ;;
    124) printf 'STOPPED, %d s\n' "$limit" ;;
    *) printf 'FAILED, %d s\n' $((SECONDS - start)) ;;
    esac
    tail -n 40 "$log" | sed 's/\x1b\[[0-9;]*m//g; s/^/    /'
    printf '    (all of it: %s)\n' "${log#"$source_dir/"}"
    return "$status"
}

# How far the command is whose output LOG has, every minute, and on a terminal every second in one place. Waits on
# a pipe that stays silent, since a sleep would outlive us.
show_progress() {
    local start=$SECONDS every=60 text
    exec 9<> <(:)
    [[ ! -t 1 ]] || every=1
    while true; do
        read -rt "$every" -u 9 || true
        text=$(progress_of "$1" $((SECONDS - start)))
        if [[ -t 1 ]]; then
            printf '\e7%s\e[K\e8' "$text"
        else
            printf '%s ' "${text:-.}"
        fi
    done
}

# 'DONE/TOTAL, N min left', from what ninja, ctest and pytest write: progress_of LOG SECONDS
progress_of() {
    local found parts left
    found=$(tail -c 4096 "$1" | grep -aoE '\[[0-9]+/[0-9]+\]|[0-9]+/[0-9]+ Test|\[ *[0-9]+%\]' | tail -n 1) || return 0
    mapfile -t parts < <(grep -oE '[0-9]+' <<<"$found")
    ((${#parts[@]} > 1)) || parts+=(100)
    ((parts[0] > 0)) || return 0
    left=$(($2 * (parts[1] - parts[0]) / parts[0]))
    if ((left < 90)); then left="$left s"; else left="$(((left + 30) / 60)) min"; fi
    printf '%d/%d, %s left' "${parts[0]}" "${parts[1]}" "$left"
}

stop_step() {
    ((${#running[@]} > 0)) || return 0
    kill -TERM "${running[@]}" || true
    wait "${running[@]}" || true
    running=()
} 2>/dev/null

install_packages() {
    local -a missing
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]} > 0)) || return 0
    [[ $EUID -eq 0 ]] || die "not root, and these packages are missing: ${missing[*]}"
    printf 'packages to install: %s\n' "${missing[*]}"
    step 'refresh the package lists' 600 apt-get update || echo 'going on with what there is'
    # At runlevel 1 the packages start no service; --no-remove keeps the host's own init, whatever it is.
    step "install ${#missing[@]} packages" 1800 env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install --yes --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 "${missing[@]}" ||
        die 'the packages could not be installed'
}

# Builds PRESET for SYSTEM, one run at a time, wholly or some targets: build SYSTEM PRESET [TARGET…]
build() {
    local folder
    [[ -e $source_dir/CMakeLists.txt ]] || die 'there is no CMakeLists.txt to build'
    folder=$(build_dir "$1" "$2")
    local -a targets=("${@:3}")
    ((${#targets[@]} > 0)) || targets=(all)
    mkdir -p "$folder"
    # shellcheck disable=SC2016
    step "build $2, $1" 2400 flock --close --timeout 2400 "$source_dir/build/.$1-$2.lock" \
        "$bed_dir/in-tree" "$1" \
        sh -c 'cd "$1" && { [ "$3/build.ninja" -nt CMakePresets.json ] || cmake --preset "$2" -B "$3"; } &&
               folder=$3 && shift 3 && cmake --build "$folder" --target "$@"' \
        sh "$source_dir" "$2" "$folder" "${targets[@]}"
}

start_results() {
    mkdir -p "$source_dir/build/results"
    find "$source_dir/build/results" -mindepth 1 -maxdepth 1 -mtime +0 -exec rm -rf {} +
    results=$(mktemp -d "$source_dir/build/results/XXXXXX")
    chmod 755 "$results"
}

# One result that no test runner reports: record NAME passed|failed|skipped [WHY]
record() {
    "$bed_dir/totals" record "$results" "$@"
}

# A step that is one test: check LABEL SECONDS COMMAND…
check() {
    if step "$@"; then record "$1" passed; else record "$1" failed; fi
}

# A step whose tests leave their results in the file results/XML, or in one for each of several beds, with its number:
# suite XML LABEL SECONDS COMMAND…
suite() {
    local xml=$results/$1
    shift
    step "$@" || "$bed_dir/totals" failed "$xml" "${xml%.xml}"-[0-9].xml || record "$1" failed
}
