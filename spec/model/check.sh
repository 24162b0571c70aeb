#!/bin/sh
# Runs the symbolic models and compares every verdict with EXPECTED.tsv.
#
#   check.sh                      all models, with the tools that are on PATH
#   check.sh verifpal | proverif  one tool's models
#   check.sh show MODEL VARIANT   prints a model as the variant leaves it
#
# Exit 0: every verdict is the expected one (or the tool is missing, which is
# said). Exit 1: a verdict changed, in either direction. Exit 2: usage.

set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")" || exit 2
tab=$(printf '\t')
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# A changed model may run for ever.
limit=
if command -v timeout >/dev/null 2>&1; then limit='timeout 600'; fi

# vary MODEL TOOL VARIANT[+VARIANT...] OUT: every line of a variant must change
# the model, so that none silently stops applying when the model is edited.
vary() {
    cp "$1" "$work/now" || return 1
    if [ "$3" != - ]; then
        for name in $(echo "$3" | tr + ' '); do
            file=variants/$2/$name.sed
            [ -r "$file" ] || { echo "no variant $file" >&2; return 1; }
            while IFS= read -r line; do
                case $line in '' | '#'*) continue ;; esac
                sed -e "$line" "$work/now" >"$work/next" || return 1
                if cmp -s "$work/now" "$work/next"; then
                    echo "variant $name changes nothing in $1: $line" >&2
                    return 1
                fi
                mv "$work/next" "$work/now"
            done <"$file"
        done
    fi
    mv "$work/now" "$4"
}

# One letter and digit a query, 1 = attack found.
run_verifpal() {
    # shellcheck disable=SC2086
    $limit verifpal verify --quiet --result-code $2 "$1" >"$work/out" 2>&1 || return 1
    tail -n 1 "$work/out"
}

# One letter a query: t true, f false, ? cannot be proved.
run_proverif() {
    # ProVerif's own status is not 0 when an equivalence is not proved.
    $limit proverif "$1" >"$work/out" 2>&1
    awk '/^RESULT \(/ { next }
         /^RESULT / { if (/ is true\.$/) c = c "t"
                      else if (/ is false\.$/) c = c "f"
                      else if (/ cannot be proved\.$/) c = c "?"
                      else c = c "!" }
         END { print c }' "$work/out"
}

check_tool() {
    tool=$1 suffix=$2 pinned=$3
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "skipped: $tool"
        return
    fi
    case $tool in
        verifpal) version=$(verifpal --version 2>&1) ;;
        proverif) version=$(proverif --help 2>&1 | head -n 1) ;;
    esac
    case $version in
        *"$pinned"*) ;;
        *) echo "note: verdicts were written down with $tool $pinned, this is: $version" ;;
    esac
    begin=$(date +%s)
    while IFS=$tab read -r model variant by options expected meaning; do
        [ "$by" = "$tool" ] || continue
        total=$((total + 1))
        [ "$options" = - ] && options=
        start=$(date +%s)
        what="$tool $(basename "$model" "$suffix")"
        [ "$variant" = - ] || what="$what $variant"
        [ -z "$options" ] || what="$what $options"
        : >"$work/out"
        if vary "$model" "$tool" "$variant" "$work/model$suffix" 2>"$work/out"; then
            got=$("run_$tool" "$work/model$suffix" "$options") || got=error
        else
            got=error
        fi
        seconds=$(($(date +%s) - start))
        if [ "$got" = "$expected" ]; then
            echo "ok    $what: $got (${seconds} s)"
        else
            failed=$((failed + 1))
            echo "FAIL  $what: expected $expected, got ${got:-nothing} (${seconds} s)"
            echo "      expected: $meaning"
            if [ "$got" = error ] || [ -z "$got" ]; then sed 's/^/      /' "$work/out" | tail -n 8; fi
        fi
    done <EXPECTED.tsv
    echo "$tool: $(($(date +%s) - begin)) s"
}

# Every model and every variant has a verdict, and every verdict a tool we run.
check_list() {
    awk -F "$tab" 'NR > 1 && ($3 != "verifpal" && $3 != "proverif" || NF != 6)' EXPECTED.tsv >"$work/bad"
    if [ -s "$work/bad" ]; then
        failed=$((failed + 1))
        echo "FAIL  EXPECTED.tsv: a line no tool here can run"
        sed 's/^/      /' "$work/bad"
    fi
    for model in *.vp proverif/*.pv; do
        cut -f 1 EXPECTED.tsv | grep -qxF "$model" || {
            failed=$((failed + 1))
            echo "FAIL  $model has no verdict in EXPECTED.tsv"
        }
    done
    for file in variants/*/*.sed; do
        tool=$(basename "$(dirname "$file")")
        awk -F "$tab" -v t="$tool" '$3 == t { print $2 }' EXPECTED.tsv | tr + '\n' |
            grep -qxF "$(basename "$file" .sed)" || {
            failed=$((failed + 1))
            echo "FAIL  $file is used by no line of EXPECTED.tsv"
        }
    done
}

total=0
failed=0
case ${1-} in
    show)
        [ $# -eq 3 ] || { echo "usage: check.sh show MODEL VARIANT" >&2; exit 2; }
        case $2 in *.pv) by=proverif ;; *) by=verifpal ;; esac
        vary "$2" "$by" "$3" "$work/shown" && cat "$work/shown"
        exit
        ;;
    '' | verifpal | proverif) [ $# -le 1 ] || { sed -n '2,9p' check.sh >&2; exit 2; } ;;
    *) sed -n '2,9p' check.sh >&2; exit 2 ;;
esac

check_list
[ "${1-}" = proverif ] || check_tool verifpal .vp 1.6.7
[ "${1-}" = verifpal ] || check_tool proverif .pv 2.05
echo "$total verdicts checked, $failed failures"
[ "$failed" -eq 0 ]
