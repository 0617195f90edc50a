#!/usr/bin/env bash
# Retrain on the cases labelled so far and put the new model into use if it is better. For cron or systemd: see README.md.
#   CASES   folder of labelled files (JSONL, CSV, XLSX)
#   MODELS  folder of models with the one in use
#   WORK    folder for runs; an interrupted run goes on at the next call on the same day
# Optional: RECIPE, TAXONOMY (of an own label set, for the check), MARGIN (what may be lost: -0.01), TRIAGE_POLICY.
# Exit code: 0 a new model is in use, 1 the old one stays, 2 something could not be read, 70 a defect.
set -euo pipefail
: "${CASES:?}" "${MODELS:?}" "${WORK:?}"
run="$WORK/$(date +%Y-%m-%d)"
margin=(${MARGIN:+--margin "$MARGIN"})
mkdir -p "$run"
exec 9>"$WORK/lock"
flock --nonblock 9 || { echo "another run is at work" >&2; exit 2; }

# 1 is an answer ("there is something to mend", "not shown to be better"), more is a failure.
ask() { "$@" >/dev/null || { code=$?; test "$code" -eq 1 || exit "$code"; }; }

ask triage data check "$CASES" --no-labels --report "$run/check.md" ${TAXONOMY:+--taxonomy "$TAXONOMY"}
test -d "$run/model" || triage train "$CASES" --base-model "$MODELS" --out "$run/model" --build "$run/build" ${RECIPE:+--recipe "$RECIPE"}
rm -rf "$run/build"
ask triage compare "$MODELS" "$run/model" "$CASES" "${margin[@]}" --out "$run/comparison.json" --report "$run/comparison.md"
triage promote "$run/model" "$CASES" "${margin[@]}" --models "$MODELS"
