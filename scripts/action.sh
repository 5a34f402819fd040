#!/usr/bin/env bash
# The steps of action.yml. Everything comes in by environment variables, never by expressions inside a
# script; candidate bytes are only ever a file that intake reads.
# Usage: action.sh fetch|grade|publish|collect
set -euo pipefail

die() { printf '::error title=Grading::%s\n' "$*" >&2; exit 3; }

checked_source() {
    [[ ${REPOSITORY:-} =~ ^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$ ]] ||
        die "repository is not OWNER/NAME"
    [[ ${COMMIT:-} =~ ^[0-9a-f]{40}$ ]] ||
        die "commit is not a full hash: a branch or tag could move between reading and grading"
}

fetch() { # the commit as an archive: no checkout, so no hook, filter or link of theirs acts
    checked_source
    folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/submission.XXXXXX")
    archive="$folder/${REPOSITORY##*/}-${COMMIT:0:8}.tar.gz"
    gh api "repos/$REPOSITORY/tarball/$COMMIT" >"$archive" || die "the commit cannot be fetched"
    # GitHub writes the commit's hash into the archive's first header.
    found=$(gzip -dc "$archive" 2>/dev/null | head -c 1536 | tr -d '\0' |
        grep -aoE 'comment=[0-9a-f]{40}' | head -n 1 | cut -d= -f2 || true)
    [[ $found == "$COMMIT" ]] || die "GitHub sent another commit than the one asked for"
    echo "submission=$archive" >>"$GITHUB_OUTPUT"
}

grade() {
    bin="$ACTION_PATH/.venv/bin"
    results=$(mktemp -d "${RUNNER_TEMP:-/tmp}/results.XXXXXX")
    payloads=$(mktemp -d "${RUNNER_TEMP:-/tmp}/payloads.XXXXXX")
    arguments=(--quiet --root "${ROOT:-.}" --out "$results")
    [[ -z ${EXERCISE:-} ]] || arguments+=(--exercise "$EXERCISE")
    [[ -z ${SEED:-} ]] || arguments+=(--seed "$SEED")
    # What grade says may quote names from the archive, so no command in it may act.
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "::stop-commands::$token"
    code=0
    "$bin/grade" "${arguments[@]}" "$SUBMISSION" || code=$?
    echo "::$token::"
    case $code in
        0) ;;
        4)
            echo "::warning title=Rejected::The submission could not be read; the log says why"
            "$bin/grade" ci --rejected --commit "$COMMIT" --name "${NAME:-take-home}" \
                --payloads "$payloads"
            echo "payloads=$payloads" >>"$GITHUB_OUTPUT"
            return 0
            ;;
        *) die "no score: the grader or the machine failed (exit code $code); run it again" ;;
    esac
    "$bin/grade" ci "$results" --commit "$COMMIT" --name "${NAME:-take-home}" --payloads "$payloads"
    echo "results=$results" >>"$GITHUB_OUTPUT"
    echo "payloads=$payloads" >>"$GITHUB_OUTPUT"
}

publish() { # what the candidate may know, on their commit
    checked_source
    case ${PUBLISH:-} in
        check) gh api --silent --method POST "repos/$REPOSITORY/check-runs" \
            --input "$PAYLOADS/check-run.json" || die "the check run was refused" ;;
        status) gh api --silent --method POST "repos/$REPOSITORY/statuses/$COMMIT" \
            --input "$PAYLOADS/status.json" || die "the status was refused" ;;
        *) die "publish is none, status or check" ;;
    esac
}

collect() { # a folder of submissions, or a shard of it
    results="${RUNNER_TEMP:-/tmp}/collected"
    arguments=("$SUBMISSIONS" --root "${ROOT:-.}" --out "$results")
    [[ -z ${SHARD:-} ]] || arguments+=(--shard "$SHARD")
    [[ -z ${ROSTER:-} ]] || arguments+=(--roster "$ROSTER")
    [[ -z ${DUE:-} ]] || arguments+=(--due "$DUE")
    [[ -z ${EXERCISE:-} ]] || arguments+=(--exercise "$EXERCISE")
    [[ -z ${SEED:-} ]] || arguments+=(--seed "$SEED")
    # Two shards with seeds of their own, drawn by each runner, could not be merged.
    [[ -n ${SEED:-} || -z ${SHARD:-} ]] || die "a shard needs the team's seed, from a secret"
    [[ -z ${IMAGES:-} ]] || docker load --quiet --input "$IMAGES" || die "the images cannot be loaded"
    echo "results=$results" >>"$GITHUB_OUTPUT" # what is finished counts also where the rest fails
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "::stop-commands::$token"
    for _ in 1 2 3; do
        code=0
        "$ACTION_PATH/.venv/bin/grade" collect "${arguments[@]}" || code=$?
        [[ $code -eq 3 ]] || break
    done
    echo "::$token::"
    case $code in
        0) ;;
        3) die "some submissions could not be graded; run the job again" ;;
        *) printf '::error title=Grading::grade collect ended with exit code %s\n' "$code" >&2
            exit "$code" ;;
    esac
}

case ${1:-} in
    fetch | grade | publish | collect) "$1" ;;
    *) die "usage: action.sh fetch|grade|publish|collect" ;;
esac
